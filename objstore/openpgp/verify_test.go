package openpgp

import (
	"bytes"
	"crypto"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

const text = "the bytes of a commit"

func TestStatuses(t *testing.T) {
	anna, bert, carl := person(t, "anna", 0), person(t, "bert", 10), person(t, "carl", 0)
	carls := signature(t, carl, text, at(1, 0))
	if err := carl.RevokeKey(packet.KeyCompromised, "", at(3, 0)); err != nil {
		t.Fatal(err)
	}
	ring := public(t, anna, bert, carl)
	stranger := person(t, "stranger", 0)
	good := signature(t, anna, text, at(1, 0))
	damaged := bytes.Clone(good)
	damaged[len(damaged)-1] ^= 1
	for name, c := range map[string]struct {
		day        int
		signatures [][]byte
		want       []Status
	}{
		"good":               {2, [][]byte{good}, []Status{Good}},
		"of other data":      {2, [][]byte{signature(t, anna, text+"x", at(1, 0))}, []Status{Bad}},
		"damaged":            {2, [][]byte{damaged}, []Status{Bad}},
		"unknown":            {2, [][]byte{signature(t, stranger, text, at(1, 0))}, []Status{KeyMissing}},
		"key still good":     {10, [][]byte{signature(t, bert, text, at(1, 0))}, []Status{Good}},
		"key expired":        {11, [][]byte{signature(t, bert, text, at(1, 0))}, []Status{KeyExpired}},
		"key revoked":        {4, [][]byte{carls}, []Status{KeyRevoked}},
		"before the key":     {4, [][]byte{early(t, anna)}, []Status{Unusable}},
		"noted":              {2, [][]byte{noted(t, anna, false)}, []Status{Good}},
		"noted, critically":  {2, [][]byte{noted(t, anna, true)}, []Status{Bad}},
		"before its time":    {-1, [][]byte{good}, []Status{Unusable}},
		"signature still on": {5, [][]byte{signature(t, anna, text, at(1, 5))}, []Status{Good}},
		"signature over":     {6, [][]byte{signature(t, anna, text, at(1, 5))}, []Status{SignatureExpired}},
		"all are looked at":  {2, [][]byte{damaged, good, []byte("junk"), good}, []Status{Bad, Good, Bad, Good}},
		"two in one":         {2, [][]byte{append(bytes.Clone(good), damaged...)}, []Status{Good, Bad}},
		"armoured":           {2, [][]byte{armour(t, "PGP SIGNATURE", good)}, []Status{Good}},
		"nothing":            {2, [][]byte{nil}, []Status{Bad}},
	} {
		if got := statuses(t, c.day, ring, text, c.signatures...); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if got := statuses(t, 2, nil, text, good); !slices.Equal(got, []Status{KeyMissing}) {
		t.Errorf("without keys: %v", got)
	}
}

// early is a signature from before its key was made.
func early(t *testing.T, e *openpgp.Entity) []byte {
	return handmade(t, e, func(sig *packet.Signature) { sig.CreationTime = day(-1) })
}

// noted is a signature with a notation that nobody knows.
func noted(t *testing.T, e *openpgp.Entity, critical bool) []byte {
	n := &packet.Notation{Name: "x@example.org", Value: []byte("1"), IsCritical: critical, IsHumanReadable: true}
	return handmade(t, e, func(sig *packet.Signature) { sig.Notations = []*packet.Notation{n} })
}

// handmade is a signature that is changed before it is signed.
func handmade(t *testing.T, e *openpgp.Entity, change func(sig *packet.Signature)) []byte {
	t.Helper()
	id := e.PrimaryKey.KeyId
	sig := &packet.Signature{
		Version: 4, SigType: packet.SigTypeBinary, PubKeyAlgo: e.PrimaryKey.PubKeyAlgo, Hash: crypto.SHA256,
		CreationTime: day(1), IssuerKeyId: &id,
	}
	change(sig)
	hash := crypto.SHA256.New()
	hash.Write([]byte(text))
	var out bytes.Buffer
	if err := errors.Join(sig.Sign(hash, e.PrivateKey, at(0, 0)), sig.Serialize(&out)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestTextSignature: a signature that holds for other line ends is of no use.
func TestTextSignature(t *testing.T) {
	anna := person(t, "anna", 0)
	var out bytes.Buffer
	if err := openpgp.DetachSignText(&out, anna, strings.NewReader(text), at(1, 0)); err != nil {
		t.Fatal(err)
	}
	if got := statuses(t, 2, public(t, anna), text, out.Bytes()); got[0] != Unusable {
		t.Error(got)
	}
}

// TestSubkey: what a subkey signs counts while it and the primary key hold.
func TestSubkey(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(e *openpgp.Entity)
		day   int
		want  Status
	}{
		"good":           {func(*openpgp.Entity) {}, 2, Good},
		"expired":        {func(*openpgp.Entity) {}, 9, KeyExpired},
		"revoked":        {func(e *openpgp.Entity) { e.RevokeSubkey(&e.Subkeys[1], packet.KeyRetired, "", at(2, 0)) }, 2, KeyRevoked},
		"primary gone":   {func(e *openpgp.Entity) { e.RevokeKey(packet.KeyRetired, "", at(2, 0)) }, 2, KeyRevoked},
		"not bound":      {func(e *openpgp.Entity) { e.Subkeys[1].Sig = e.Subkeys[0].Sig }, 2, Unusable},
		"not certified":  {func(e *openpgp.Entity) { resign(e, func(s *packet.Signature) { s.FlagSign = false }) }, 2, Unusable},
		"for other uses": {func(e *openpgp.Entity) { e.Subkeys[1] = e.Subkeys[0] }, 2, KeyMissing},
	} {
		e := person(t, "anna", 0)
		if err := e.AddSigningSubkey(keyAt(1, 5)); err != nil {
			t.Fatal(err)
		}
		sub := e.Subkeys[1].PublicKey
		made := signature(t, e, text, at(2, 0))
		c.spoil(e)
		ring, err := parseKeyring(day(c.day), public(t, e))
		if err != nil {
			t.Fatal(err)
		}
		r := verify(ring, []byte(text), [][]byte{made}, day(c.day))[0]
		if r.Status != c.want {
			t.Errorf("%s: %v, want %v", name, r.Status, c.want)
		}
		if id := strings.ToUpper(sub.KeyIdString()); KeyID(r.Fingerprint) != id {
			t.Errorf("%s: key %s, want %s", name, r.Fingerprint, id)
		}
	}
}

// resign changes the binding of the signing subkey, whose own signature of the primary
// key gets lost.
func resign(e *openpgp.Entity, change func(*packet.Signature)) {
	sub := &e.Subkeys[1]
	s := *sub.Sig
	change(&s)
	s.EmbeddedSignature = nil
	if err := s.SignKey(sub.PublicKey, e.PrivateKey, at(1, 0)); err != nil {
		panic(err)
	}
	sub.Sig = &s
}

func TestDescribe(t *testing.T) {
	anna := person(t, "anna", 10)
	ring, err := parseKeyring(day(11), public(t, anna))
	if err != nil {
		t.Fatal(err)
	}
	id := strings.ToUpper(anna.PrimaryKey.KeyIdString())
	made := signature(t, anna, text, at(1, 0))
	for _, c := range []struct {
		ring       Keyring
		data, want string
	}{
		{ring, text, "> Signature made " + clock(day(1)) + " using EdDSA key ID " + id + "\n> BAD signature from \"anna <anna@example.com>\"\n> Key expired " + clock(day(10)) + "\n"},
		{ring, "x", "> Signature made " + clock(time.Unix(0, 0)) + " using [unknown name] key ID " + id + "\n> BAD signature from \"anna <anna@example.com>\"\n> Primary key ID " + id + "\n> Primary key expires " + clock(day(10)) + "\n"},
		{nil, text, "> Signature made " + clock(day(1)) + " using EdDSA key ID " + id + "\n> Can't check signature: public key not found\n"},
	} {
		if got := verify(c.ring, []byte(c.data), [][]byte{made}, day(11))[0].Describe("> "); got != c.want {
			t.Errorf("%q\nwant %q", got, c.want)
		}
	}
	if got := clock(time.Date(2013, 9, 1, 2, 29, 42, 0, time.Local)); got != "Sun Sep \u20071 02:29:42 2013" {
		t.Errorf("%q", got)
	}
}

// FuzzVerify: nothing but a signature of the very data is good.
func FuzzVerify(f *testing.F) {
	read := func(name string) []byte {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		return data
	}
	signed, made := read("key.data"), read("key.sig")
	ring, err := ParseKeyring(read("key.gpg"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed, made)
	f.Add([]byte("x"), made)
	f.Fuzz(func(t *testing.T, data, signature []byte) {
		results := Verify(ring, data, [][]byte{signature, made})
		for i, r := range results {
			r.Describe("  ")
			if r.Status == Good && !bytes.Equal(data, signed) {
				t.Fatalf("%d: good for %x", i, data)
			}
		}
		if last := results[len(results)-1]; (last.Status == Good) != bytes.Equal(data, signed) {
			t.Fatalf("%v for %x", last.Status, data)
		}
	})
}
