package fetch

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// writeCertificate makes a certificate and its key, and returns their files.
func writeCertificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: signed}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestConfiguredProxy(t *testing.T) {
	t.Parallel()
	proxy := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Method+" "+r.RequestURI+" "+r.Header.Get("Proxy-Authorization"))
	})
	host := strings.TrimPrefix(proxy, "http://")
	for setting, auth := range map[string]string{host: "", "http://u:p@" + host: "Basic dTpw"} {
		data, err := get(t, Config{URLs: []string{"http://a.invalid/repo"}, Proxy: setting})
		if want := "GET http://a.invalid/repo/x " + auth; err != nil || data != want {
			t.Errorf("%s: %q, %v", setting, data, err)
		}
	}
	for _, setting := range []string{"socks4://h:1", "http://", "http://u:secret@h:x"} {
		if _, err := New(Config{URLs: []string{"http://a"}, Proxy: setting}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

// TestEnvironmentProxy looks at the choice alone: the environment is the whole process's.
func TestEnvironmentProxy(t *testing.T) {
	for _, name := range []string{"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"} {
		t.Setenv(name, "")
	}
	for _, c := range []struct{ environment, url, want string }{
		{"", "http://a/", ""},
		{"http_proxy=p:1", "http://a/", "http://p:1"},
		{"http_proxy=p", "http://127.0.0.1/", "http://p:1080"},
		{"HTTP_PROXY=p:1", "http://a/", ""},
		{"http_proxy=p:1", "https://a/", ""},
		{"HTTPS_PROXY=https://p", "https://a/", "https://p"},
		{"all_proxy=socks5h://p:9", "https://a/", "socks5h://p:9"},
		{"http_proxy=p:1 no_proxy=*", "http://a/", ""},
		{"http_proxy=p:1 no_proxy=b,.a.org", "http://x.a.org:80/", ""},
		{"http_proxy=p:1 no_proxy=a.org", "http://ba.org/", "http://p:1"},
		{"http_proxy=p:1 NO_PROXY=10.0.0.0/8", "http://10.1.2.3/", ""},
		{"http_proxy=p:1 no_proxy=[::1]", "http://[::1]/", ""},
	} {
		t.Run(c.environment+" "+c.url, func(t *testing.T) {
			t.Setenv("HTTP_PROXY", "")
			for _, word := range strings.Fields(c.environment) {
				name, value, _ := strings.Cut(word, "=")
				t.Setenv(name, value)
			}
			choose, err := proxyFor("")
			if err != nil {
				t.Fatal(err)
			}
			r, err := http.NewRequest(http.MethodGet, c.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			u, err := choose(r)
			if got := ""; err != nil {
				t.Error(err)
			} else if u != nil {
				if got = u.String(); got != c.want {
					t.Errorf("got %s", got)
				}
			} else if c.want != "" {
				t.Error("got none")
			}
		})
	}
}
