package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"

	"github.com/cloudflare/circl/sign/ed448"
)

// spkiSecret reads a private key in DER: PKCS #8 (RFC 5958), or of old that of RSA
// (RFC 8017) or of an elliptic curve (RFC 5915).
func spkiSecret(raw []byte) (Signer, error) {
	if key, ok := ed448Secret(raw); ok {
		return secret{"spki", func(data []byte) ([]byte, error) { return ed448.Sign(key, data, ""), nil }}, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(raw)
	if err != nil {
		if old, oldErr := x509.ParsePKCS1PrivateKey(raw); oldErr == nil {
			key, err = old, nil
		} else if old, oldErr := x509.ParseECPrivateKey(raw); oldErr == nil {
			key, err = old, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKey, err)
	}
	switch key := key.(type) {
	case ed25519.PrivateKey:
		return secret{"spki", func(data []byte) ([]byte, error) { return ed25519.Sign(key, data), nil }}, nil
	case *ecdsa.PrivateKey:
		return hashing(func(digest []byte) ([]byte, error) { return ecdsa.SignASN1(rand.Reader, key, digest) }), nil
	case *rsa.PrivateKey:
		return hashing(func(digest []byte) ([]byte, error) {
			return rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest)
		}), nil
	}
	return nil, fmt.Errorf("%w: keys of type %T do not sign", errKey, key)
}

// hashing signs the SHA-256 of data.
func hashing(sign func(digest []byte) ([]byte, error)) Signer {
	return secret{"spki", func(data []byte) ([]byte, error) {
		digest := sha256.Sum256(data)
		return sign(digest[:])
	}}
}

func ed448Secret(der []byte) (ed448.PrivateKey, bool) {
	var info struct {
		Version    int
		Algorithm  algorithm
		Key        []byte
		Attributes asn1.RawValue `asn1:"optional,tag:0"`
		Public     asn1.RawValue `asn1:"optional,tag:1"`
	}
	rest, err := asn1.Unmarshal(der, &info)
	if err != nil || len(rest) > 0 || !info.Algorithm.OID.Equal(oidEd448) {
		return nil, false
	}
	var seed []byte
	rest, err = asn1.Unmarshal(info.Key, &seed)
	if err != nil || len(rest) > 0 || len(seed) != ed448.SeedSize {
		return nil, false
	}
	return ed448.NewKeyFromSeed(seed), true
}
