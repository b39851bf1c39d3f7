package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/cloudflare/circl/sign/ed448"
)

// The kinds of keys of spki, and how each signs, are what OpenSSL does with them where
// it is told nothing else: Ed25519 and Ed448 sign the data (RFC 8032); RSA (PKCS #1
// v1.5) and ECDSA (in DER) its SHA-256. A signature that is no well-formed one is not
// good; ostree takes some such for good (EVP_DigestVerify below 0).

// maxRSA is the size of a modulus in bits, as OpenSSL has it.
const maxRSA = 16384

// errKey is that a key can't be used, in ostree's words.
var errKey = errors.New("openssl: Failed to initialize spki key")

// spkiPublic reads a SubjectPublicKeyInfo in DER.
func spkiPublic(raw []byte) (Key, error) {
	k := Key{raw: string(raw), id: string(raw)}
	if public, ok := ed448Public(raw); ok {
		k.made = func(data, signature []byte) bool { return ed448.Verify(public, data, signature, "") }
		return k, nil
	}
	parsed, err := x509.ParsePKIXPublicKey(raw)
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", errKey, err)
	}
	if k.made, err = verifier(parsed); err != nil {
		return Key{}, err
	}
	if der, err := x509.MarshalPKIXPublicKey(parsed); err == nil {
		k.id = string(der)
	}
	return k, nil
}

// verifier checks signatures by a key.
func verifier(public any) (func(data, signature []byte) bool, error) {
	switch public := public.(type) {
	case ed25519.PublicKey:
		return func(data, signature []byte) bool {
			return len(signature) == ed25519.SignatureSize && ed25519.Verify(public, data, signature)
		}, nil
	case *ecdsa.PublicKey:
		return func(data, signature []byte) bool {
			digest := sha256.Sum256(data)
			return ecdsa.VerifyASN1(public, digest[:], signature)
		}, nil
	case *rsa.PublicKey:
		if public.N.BitLen() > maxRSA {
			return nil, fmt.Errorf("%w: RSA of %d bits", errKey, public.N.BitLen())
		}
		return func(data, signature []byte) bool {
			digest := sha256.Sum256(data)
			return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
		}, nil
	}
	return nil, fmt.Errorf("%w: keys of type %T do not sign", errKey, public)
}

// oidEd448 names Ed448 (RFC 8410).
var oidEd448 = asn1.ObjectIdentifier{1, 3, 101, 113}

// algorithm is an AlgorithmIdentifier without parameters.
type algorithm struct{ OID asn1.ObjectIdentifier }

func ed448Public(der []byte) (ed448.PublicKey, bool) {
	var info struct {
		Algorithm algorithm
		Key       asn1.BitString
	}
	rest, err := asn1.Unmarshal(der, &info)
	if err != nil || len(rest) > 0 || !info.Algorithm.OID.Equal(oidEd448) || info.Key.BitLength != 8*ed448.PublicKeySize {
		return nil, false
	}
	return info.Key.Bytes, true
}
