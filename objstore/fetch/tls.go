package fetch

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
)

func tlsConfig(c Config) (*tls.Config, error) {
	t := &tls.Config{InsecureSkipVerify: c.Insecure}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tls: certificates to trust: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls: %s: no certificate in it", c.CAFile)
		}
	}
	switch {
	case c.CertFile == "" && c.KeyFile == "":
		return t, nil
	case c.CertFile == "" || c.KeyFile == "":
		return nil, errors.New("tls: a certificate of a client needs its key, and the key its certificate")
	case strings.HasPrefix(c.CertFile, "pkcs11:") || strings.HasPrefix(c.KeyFile, "pkcs11:"):
		return nil, errors.New("tls: keys in pkcs11 tokens can't be used")
	}
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("tls: certificate of the client: %w", err)
	}
	t.Certificates = []tls.Certificate{pair}
	return t, nil
}
