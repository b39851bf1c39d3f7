package sign

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore/gvariant"
)

// vectors are those of RFC 8032, section 7.1: public key, message, signature.
var vectors = []struct{ key, message, signature string }{
	{"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
		"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
	{"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
		"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
	{"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
		"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		data, signature := unhex(t, v.message), unhex(t, v.signature)
		other, _ := pair(1)
		e := &Keys{Scheme: "ed25519", Trusted: []Key{other, public(t, unhex(t, v.key))}}
		if got := e.Verify(data, [][]byte{signature}); got[0].Result != Good || got[0].Key != e.Trusted[1].String() {
			t.Errorf("%q: %v", v.message, got)
		}
		if got := e.Verify(append(data, 0), [][]byte{signature}); got[0].Result != Unknown {
			t.Errorf("%q and a byte more: %v", v.message, got)
		}
		for i := range signature {
			signature[i] ^= 1
			if got := e.Verify(data, [][]byte{signature}); got[0].Result != Unknown {
				t.Errorf("%q with bit %d wrong: %v", v.message, 8*i, got)
			}
			signature[i] ^= 1
		}
	}
}

// public is an Ed25519 key.
func public(t testing.TB, raw []byte) Key {
	t.Helper()
	k, err := ed25519Public(raw)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// pair is a key and who signs with it.
func pair(seed byte) (Key, ed25519.PrivateKey) {
	private := ed25519.NewKeyFromSeed(slices.Repeat([]byte{seed}, ed25519.SeedSize))
	k, err := ed25519Public(private.Public().(ed25519.PublicKey))
	if err != nil {
		panic(err)
	}
	return k, private
}

func TestVerdicts(t *testing.T) {
	data := []byte("a commit")
	good, signer := pair(1)
	revoked, former := pair(2)
	other, stranger := pair(3)
	e := &Keys{Scheme: "ed25519", Trusted: []Key{revoked, good}, Revoked: []Key{revoked, other}}
	for name, c := range map[string]struct {
		signature []byte
		want      Verdict
	}{
		"good":               {ed25519.Sign(signer, data), Verdict{Result: Good, Key: good.String()}},
		"trusted, revoked":   {ed25519.Sign(former, data), Verdict{Result: Revoked, Key: revoked.String()}},
		"revoked":            {ed25519.Sign(stranger, data), Verdict{Result: Revoked, Key: other.String()}},
		"of other data":      {ed25519.Sign(signer, data[1:]), Verdict{Result: Unknown}},
		"empty":              {nil, Verdict{Result: Bad, Reason: "0 bytes instead of 64"}},
		"with a byte more":   {append(ed25519.Sign(signer, data), 0), Verdict{Result: Bad, Reason: "65 bytes instead of 64"}},
		"zeroes":             {make([]byte, 64), Verdict{Result: Unknown}},
		"all ones":           {slices.Repeat([]byte{0xff}, 64), Verdict{Result: Unknown}},
		"without its scalar": {append(ed25519.Sign(signer, data)[:32:32], make([]byte, 32)...), Verdict{Result: Unknown}},
	} {
		list := [][]byte{make([]byte, 3), c.signature}
		got := e.Verify(data, list)
		if len(got) != 2 || got[1] != c.want || got[0].Result != Bad {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if best := Best(got); c.want.Result != Bad && best != c.want {
			t.Errorf("%s: the best of %v is %v", name, got, best)
		}
	}
	if got := (&Keys{Scheme: "ed25519"}).Verify(data, [][]byte{ed25519.Sign(signer, data)}); got[0].Result != Unknown {
		t.Errorf("without keys: %v", got)
	}
}

func TestResultNames(t *testing.T) {
	for r := Bad; r <= Good; r++ {
		if r.String() == "" {
			t.Error(r)
		}
	}
}

// dict serialises a{sv}.
func dict(pairs ...any) gvariant.Value {
	var entries []gvariant.Value
	for i := 0; i < len(pairs); i += 2 {
		value := gvariant.NewVariant(pairs[i+1].(gvariant.Value))
		entries = append(entries, gvariant.NewEntry(gvariant.NewString(pairs[i].(string)), value))
	}
	return gvariant.NewArray("{sv}", entries...)
}

func arrays(list ...string) gvariant.Value {
	var elements []gvariant.Value
	for _, text := range list {
		elements = append(elements, gvariant.NewBytes([]byte(text)))
	}
	return gvariant.NewArray("ay", elements...)
}

func TestSignatures(t *testing.T) {
	d := dict("note", gvariant.NewString("x"), "ostree.sign.ed25519", arrays("one", "", "three"), "ostree.gpgsigs", arrays("g"))
	for scheme, want := range map[string]string{"ed25519": "one||three", "gpg": "g", "spki": ""} {
		list, err := Signatures(d, scheme)
		var texts []string
		for _, s := range list {
			texts = append(texts, string(s))
		}
		if got := strings.Join(texts, "|"); err != nil || got != want {
			t.Errorf("%s: %q, %v", scheme, got, err)
		}
	}
	if got := Schemes(d); !slices.Equal(got, []string{"ed25519", "gpg"}) {
		t.Error(got)
	}
	if list, err := Signatures(gvariant.Value{}, "gpg"); list != nil || err != nil || Schemes(gvariant.Value{}) != nil {
		t.Errorf("no metadata: %v, %v", list, err)
	}
	for name, bad := range map[string]gvariant.Value{
		"a string":  gvariant.NewString("x"),
		"one array": gvariant.NewBytes([]byte("x")),
		"too many":  arrays(slices.Repeat([]string{"x"}, maxSignatures+1)...),
	} {
		if list, err := Signatures(dict("ostree.sign.ed25519", bad), "ed25519"); err == nil {
			t.Errorf("%s is accepted: %d", name, len(list))
		}
	}
}

func TestParseKeys(t *testing.T) {
	a, _ := pair(1)
	b, _ := pair(2)
	for text, want := range map[string][]Key{
		"":                                     nil,
		a.String():                             {a},
		a.String() + "\n" + b.String():         {a, b},
		"\n# one\n \t" + a.String() + "\r\n\n": {a},
	} {
		if got, err := ParseKeys("ed25519", []byte(text)); err != nil || !slices.EqualFunc(got, want, Key.Equal) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, bad := range []string{
		"x", a.String()[:40], a.String() + "AAAA", a.String() + " " + b.String(), "AAAA", strings.TrimRight(a.String(), "="), "\x00",
		a.String() + "\n;\n",
	} {
		if got, err := ParseKeys("ed25519", []byte(bad)); err == nil || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%q: %v, %v", bad, got, err)
		}
	}
}

// TestSigners: what is signed verifies, and secret keys that can't be right are refused.
func TestSigners(t *testing.T) {
	t.Setenv("OSTREE_DUMMY_SIGN_ENABLED", "1")
	key, private := pair(1)
	_, other := pair(2)
	data := []byte("a commit")
	secret := base64.StdEncoding.EncodeToString(private)
	meta := dict("note", gvariant.NewString("x"))
	for _, c := range []struct{ scheme, secret, public, message string }{
		{"ed25519", secret + "\n", key.String(), "ed25519: Signature verified successfully with key '" + hex.EncodeToString([]byte(key.raw)) + "'"},
		{"dummy", "word", "word", "dummy: Signature verified"},
	} {
		signer, err := NewSigner(c.scheme, c.secret)
		if err != nil {
			t.Fatal(err)
		}
		if meta, err = Add(t.Context(), meta, data, signer); err != nil {
			t.Fatal(err)
		}
		checker, err := NewChecker(c.scheme, c.public)
		if err != nil {
			t.Fatal(err)
		}
		list, err := Signatures(meta, c.scheme)
		if message, checkErr := checker.Check(data, list); err != nil || checkErr != nil || message != c.message {
			t.Errorf("%s: %q, %v, %v", c.scheme, message, checkErr, err)
		}
	}
	if got := Schemes(meta); !slices.Equal(got, []string{"ed25519", "dummy"}) {
		t.Error(got)
	}
	if meta = Set(meta, "ed25519", nil); meta.Len() != 2 {
		t.Error(meta.Len())
	}
	mixed := append(slices.Clone([]byte(private[:32])), other[32:]...)
	for text, want := range map[string]string{
		"x": "not base64", secret[:40]: "expected 64 bytes, got 30", base64.StdEncoding.EncodeToString(mixed): "second half",
	} {
		if _, err := NewSigner("ed25519", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, err := NewSigner("sm2", "x"); err != ErrNoScheme {
		t.Error(err)
	}
	t.Setenv("OSTREE_DUMMY_SIGN_ENABLED", "")
	if _, err := NewSigner("dummy", "word"); err == nil {
		t.Error("dummy signs without leave")
	}
	if v := (Dummy{"word"}).Verify(data, [][]byte{[]byte("word")}); v[0].Result == Good {
		t.Error("dummy verifies without leave")
	}
}

// TestCheckFailures has ostree's words.
func TestCheckFailures(t *testing.T) {
	t.Setenv("OSTREE_DUMMY_SIGN_ENABLED", "1")
	data := []byte("a commit")
	e := Keys{Scheme: "ed25519"}
	var hexes []string
	for seed := range byte(4) {
		k, _ := pair(seed + 1)
		e.Trusted = append(e.Trusted, k)
		hexes = append(hexes, "key '"+hex.EncodeToString([]byte(k.raw))+"'")
	}
	_, stranger := pair(9)
	bad := [][]byte{ed25519.Sign(stranger, data)}
	for _, c := range []struct {
		checker    Checker
		signatures [][]byte
		want       string
	}{
		{&e, nil, "ed25519: commit have no signatures of my type"},
		{&e, [][]byte{}, "ed25519: no signatures found"},
		{&e, [][]byte{{1}}, "Invalid signature: Ill-formed input: expected 64 bytes, got 1 bytes"},
		{&e, bad, "ed25519: Signature couldn't be verified; tried 4 keys"},
		{&Keys{Scheme: "ed25519", Trusted: e.Trusted[:2]}, bad, "ed25519: Signature couldn't be verified with: " + hexes[1] + "; " + hexes[0]},
		{&Keys{Scheme: "ed25519", Trusted: e.Trusted[:1], Revoked: e.Trusted[:1]}, bad, "ed25519: no signatures found"},
		{Dummy{"word"}, nil, "signature: dummy: commit have no signatures of my type"},
		{Dummy{"word"}, [][]byte{}, "signature: dummy: no signatures"},
		{Dummy{"word"}, bad, "signature: dummy: incorrect signatures found: 1"},
	} {
		if message, err := c.checker.Check(data, c.signatures); err == nil || err.Error() != c.want {
			t.Errorf("%q, %v, want %q", message, err, c.want)
		}
	}
}

func TestTooManySignatures(t *testing.T) {
	_, private := pair(1)
	signer, err := NewSigner("ed25519", base64.StdEncoding.EncodeToString(private))
	if err != nil {
		t.Fatal(err)
	}
	full := Set(gvariant.Value{}, "ed25519", make([][]byte, maxSignatures))
	if _, err := Add(t.Context(), full, nil, signer); err == nil {
		t.Error("one more than can be read is added")
	}
}
