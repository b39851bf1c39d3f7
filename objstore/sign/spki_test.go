package sign

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"os"
	"slices"
	"strings"
	"testing"
)

// kinds are the keys that openssl made, of each a KIND.key, KIND.pub and KIND.sig, a
// signature of message.
var kinds = []string{"ed25519", "ed448", "rsa", "p256", "p521"}

const message = "a commit"

func made(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/spki/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// inBase64 is what a block of PEM holds, as a command line has it.
func inBase64(t testing.TB, data []byte) string {
	t.Helper()
	block, _ := pem.Decode(data)
	if block == nil {
		t.Fatal("no PEM")
	}
	return base64.StdEncoding.EncodeToString(block.Bytes)
}

// TestSPKI: signatures by openssl are good, those of our own by the same keys, too, and
// nothing else is.
func TestSPKI(t *testing.T) {
	for _, kind := range kinds {
		checker, err := NewChecker("spki", inBase64(t, made(t, kind+".pub")))
		if err != nil {
			t.Fatal(kind, err)
		}
		signers, err := ParseSigners("spki", append(made(t, kind+".key"), made(t, kind+".key")...))
		if err != nil || len(signers) != 2 {
			t.Fatal(kind, len(signers), err)
		}
		inline, err := NewSigner("spki", inBase64(t, made(t, kind+".key")))
		if err != nil {
			t.Fatal(kind, err)
		}
		list := [][]byte{made(t, kind+".sig")}
		for _, s := range append(signers, inline) {
			signature, err := s.Sign(t.Context(), []byte(message))
			if err != nil || s.Scheme() != "spki" {
				t.Fatal(kind, err)
			}
			list = append(list, signature)
		}
		k := checker.(*Keys).Trusted[0]
		for i, v := range checker.Verify([]byte(message), list) {
			if v.Result != Good || v.Key != k.String() {
				t.Errorf("%s, signature %d: %v", kind, i, v)
			}
		}
		want := "spki: Signature verified successfully with key '" + hex.EncodeToString([]byte(k.raw)) + "'"
		if text, err := checker.Check([]byte(message), list[:1]); text != want || err != nil {
			t.Errorf("%s: %q, %v", kind, text, err)
		}
		for _, bad := range [][]byte{nil, []byte("junk"), list[0][1:], append(slices.Clone(list[0]), 0), flipped(list[0])} {
			if v := checker.Verify([]byte(message), [][]byte{bad})[0]; v.Result != Unknown {
				t.Errorf("%s, %x: %v", kind, bad, v)
			}
		}
		if v := checker.Verify([]byte(message+"s"), list[:1])[0]; v.Result != Unknown {
			t.Errorf("%s, other data: %v", kind, v)
		}
	}
}

func flipped(data []byte) []byte {
	data = slices.Clone(data)
	data[len(data)/2] ^= 1
	return data
}

// TestOldSecrets: keys of the forms that openssl had before PKCS #8.
func TestOldSecrets(t *testing.T) {
	for _, kind := range []string{"rsa", "p256"} {
		s, err := NewSigner("spki", string(made(t, kind+".old")))
		if err != nil {
			t.Fatal(kind, err)
		}
		signature, err := s.Sign(t.Context(), []byte(message))
		if err != nil {
			t.Fatal(kind, err)
		}
		checker, err := NewChecker("spki", inBase64(t, made(t, kind+".pub")))
		if err != nil {
			t.Fatal(kind, err)
		}
		if _, err := checker.Check([]byte(message), [][]byte{signature}); err != nil {
			t.Error(kind, err)
		}
	}
}

// TestParseSPKI: files of keys, of which none gets lost.
func TestParseSPKI(t *testing.T) {
	a, b := string(made(t, "ed448.pub")), string(made(t, "p256.pub"))
	for name, c := range map[string]struct {
		text string
		n    int
		want string // in the error
	}{
		"two":           {"# note\n" + a + "\n\nnote\n" + b, 2, ""},
		"other lines":   {strings.ReplaceAll(a, "\n", " \r\n"), 1, ""},
		"none":          {"", 0, ""},
		"cut off":       {b + a[:60], 1, "PEM trailer not found"},
		"another label": {strings.ReplaceAll(a, "PUBLIC", "PRIVATE"), 0, `line 1: Unexpected label "PRIVATE KEY"`},
		"two labels":    {strings.Replace(a, "END PUBLIC", "END PRIVATE", 1), 0, "Unmatched PEM header"},
		"no base64":     {strings.Replace(a, "M", "?", 1) + b, 1, "line 1: not a key in base64"},
		"no key":        {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n" + b, 1, "openssl: Failed to initialize spki key"},
		"no signer's":   {string(made(t, "x25519.pub")), 0, "*ecdh.PublicKey do not sign"},
	} {
		keys, err := ParseKeys("spki", []byte(c.text))
		if len(keys) != c.n || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d keys, %v, want %d, %q", name, len(keys), err, c.n, c.want)
		}
	}
	for text, want := range map[string]string{
		string(made(t, "x25519.key")): "*ecdh.PrivateKey do not sign",
		a:                             "Unexpected label",
		strings.ReplaceAll(strings.ReplaceAll(b, "PUBLIC", "PRIVATE"), "MF", "AA"): "line 1: Invalid spki secret key: openssl: Failed to initialize spki key",
	} {
		if _, err := ParseSigners("spki", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestRevokedSPKI: a key that is revoked is so, whatever it is trusted beside.
func TestRevokedSPKI(t *testing.T) {
	keys, err := ParseKeys("spki", slices.Concat(made(t, "ed448.pub"), made(t, "rsa.pub")))
	if err != nil {
		t.Fatal(err)
	}
	e := &Keys{Scheme: "spki", Trusted: keys, Revoked: keys[1:]}
	list := [][]byte{made(t, "rsa.sig")}
	if v := e.Verify([]byte(message), list)[0]; v.Result != Revoked || v.Key != keys[1].String() {
		t.Error(v)
	}
	want := "spki: Signature couldn't be verified with: key '" + hex.EncodeToString([]byte(keys[0].raw)) + "'"
	if _, err := e.Check([]byte(message), list); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// FuzzSPKI: whatever stands in a file of keys, what is taken out of it reads again.
func FuzzSPKI(f *testing.F) {
	for _, kind := range kinds {
		f.Add(made(f, kind+".pub"))
	}
	f.Add(made(f, "x25519.pub"))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := ParseKeys("spki", data)
		if begun := bytes.Count(data, []byte(pemBegin)); len(keys) > begun {
			t.Fatalf("%d keys of %d blocks", len(keys), begun)
		}
		for _, k := range keys {
			again, err := ParseKey("spki", k.String())
			if err != nil || !again.Equal(k) {
				t.Fatal(err)
			}
			k.made([]byte(message), data)
		}
		if err == nil {
			ParseSigners("spki", data)
		}
	})
}
