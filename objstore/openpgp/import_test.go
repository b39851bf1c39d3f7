package openpgp

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

func names(t testing.TB, ring []byte) (list []string) {
	t.Helper()
	keys, err := ParseKeyring(ring)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		list = append(list, k.UserIDs[0].Name)
	}
	return list
}

func TestImport(t *testing.T) {
	anna, bert, carl := person(t, "anna", 0), person(t, "bert", 0), person(t, "carl", 0)
	var ring []byte
	for _, c := range []struct {
		sources [][]byte
		ids     []string
		n       int
		want    string
	}{
		{[][]byte{armour(t, openpgp.PublicKeyType, public(t, anna))}, nil, 1, "anna"},
		{[][]byte{public(t, anna)}, nil, 0, "anna"},
		{[][]byte{public(t, anna, bert, carl)}, []string{carl.PrimaryKey.KeyIdString()}, 1, "anna carl"},
		{[][]byte{public(t, carl), keybox(public(t, bert))}, []string{"<bert@example.com>", "BERT@EXAMPLE"}, 1, "anna carl bert"},
	} {
		updated, n, err := Import(ring, c.sources, c.ids)
		if got := strings.Join(names(t, updated), " "); err != nil || n != c.n || got != c.want {
			t.Errorf("%d, %q, %v, want %d, %q", n, got, err, c.n, c.want)
		}
		ring = updated
	}
	again, _, err := Import(ring, [][]byte{ring}, nil)
	if err != nil || !bytes.Equal(again, ring) {
		t.Errorf("the same keys again change the keyring: %v", err)
	}
	for id, want := range map[string]error{"example.com": errAmbiguousID, "nobody@example.com": errNoKey, "short": errInvalidID} {
		if _, _, err := Import(nil, [][]byte{ring}, []string{id}); err == nil || !strings.HasSuffix(err.Error(), want.Error()) {
			t.Errorf("%s: %v, want %v", id, err, want)
		}
	}
	if _, _, err := Import(nil, [][]byte{[]byte("junk")}, nil); err != errNoKeys {
		t.Error(err)
	}
	if _, _, err := Import(append(ring, 0), [][]byte{ring}, nil); err == nil {
		t.Error("a damaged keyring is replaced")
	}
}

// TestImportOfRevocation: what is new of a key that is there comes to it, and stays.
func TestImportOfRevocation(t *testing.T) {
	anna := person(t, "anna", 0)
	old := public(t, anna)
	made := signature(t, anna, text, at(1, 0))
	if err := anna.RevokeKey(packet.KeyCompromised, "", at(1, 0)); err != nil {
		t.Fatal(err)
	}
	revoked := public(t, anna)
	for _, order := range [][][]byte{{old, revoked}, {revoked, old}} {
		ring, n, err := Import(order[0], order[1:], nil)
		if err != nil || n != 0 {
			t.Fatal(n, err)
		}
		if got := statuses(t, 2, ring, text, made); got[0] != KeyRevoked {
			t.Error(got)
		}
	}
	keys, err := ParseKeyring(old, revoked)
	if err != nil || len(keys) != 1 || !keys[0].Primary.Revoked || !keys[0].UserIDs[0].Revoked {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

// TestImportLeavesOut what nobody vouches for: a user id and a subkey of others.
func TestImportLeavesOut(t *testing.T) {
	anna, eve := person(t, "anna", 0), person(t, "eve", 0)
	b, err := blocks(public(t, anna))
	if err != nil {
		t.Fatal(err)
	}
	other, err := blocks(public(t, eve))
	if err != nil {
		t.Fatal(err)
	}
	var forged bytes.Buffer
	if err := b[0].merge(other[0][1:]).write(&forged); err != nil {
		t.Fatal(err)
	}
	ring, n, err := Import(nil, [][]byte{forged.Bytes()}, nil)
	if err != nil || n != 1 || !bytes.Equal(ring, public(t, anna)) {
		t.Errorf("%d, %v, %d bytes", n, err, len(ring))
	}
	var stolen bytes.Buffer
	if err := (block{b[0][0], other[0][1]}).write(&stolen); err != nil {
		t.Fatal(err)
	}
	if ring, n, err := Import(nil, [][]byte{stolen.Bytes()}, nil); n != 0 || err != nil || len(ring) > 0 {
		t.Errorf("a key with another's name alone: %d, %v", n, err)
	}
}

// keybox puts a key into gpg's keybox format.
func keybox(key []byte) []byte {
	blob := func(kind byte, head, body []byte) []byte {
		data := make([]byte, 20, 64)
		data[4] = kind
		copy(data[8:], head)
		data = append(data, body...)
		binary.BigEndian.PutUint32(data, uint32(len(data)))
		return data
	}
	place := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 20), uint32(len(key)))
	return append(blob(1, []byte("KBXf"), nil), blob(2, place, key)...)
}

func TestForms(t *testing.T) {
	anna, bert := person(t, "anna", 0), person(t, "bert", 0)
	packets := public(t, anna, bert)
	a, b := armour(t, openpgp.PublicKeyType, public(t, anna)), armour(t, openpgp.PublicKeyType, public(t, bert))
	for name, data := range map[string][]byte{
		"packets":                  packets,
		"armour":                   armour(t, openpgp.PublicKeyType, packets),
		"two pieces of armour":     append(bytes.Clone(a), b...),
		"with words around":        slices.Concat([]byte("a key:\n"), a, []byte("\nand one:\n\n"), b, []byte("that's all")),
		"with damage between":      slices.Concat(a, a[:len(a)/2], b),
		"before what is none":      append(bytes.Clone(packets), "junk"...),
		"with packets of gpg":      slices.Concat(public(t, anna), []byte{0xb0, 2, 1, 2}, public(t, bert)),
		"with what has no owner":   append(signature(t, anna, text, at(1, 0)), packets...),
		"a keybox and a signature": slices.Concat(keybox(public(t, anna)), keybox(public(t, bert))[20:]),
	} {
		if got := names(t, data); !slices.Equal(got, []string{"anna", "bert"}) {
			t.Errorf("%s: %v", name, got)
		}
	}
	if _, err := ParseKeyring(make([]byte, maxKeyring+1)); err == nil {
		t.Error("too large a keyring is read")
	}
}

func TestSplitUserID(t *testing.T) {
	for text, want := range map[string][2]string{
		"Ann <a@b>":               {"Ann", "a@b"},
		"Ann Bee (x <y>) <a@b>":   {"Ann Bee", "a@b"},
		"<a@b>":                   {"", "a@b"},
		"Ann":                     {"Ann", ""},
		"a@b":                     {"a@b", ""},
		"  Ann   <a@b> <c@d> Bob": {"Ann", "a@b"},
		"(x) Ann <a@b":            {"Ann", ""},
		"":                        {"", ""},
	} {
		if name, email := splitUserID(text); name != want[0] || email != want[1] {
			t.Errorf("%q: %q, %q", text, name, email)
		}
	}
}

func TestUpdateURLs(t *testing.T) {
	id := UserID{Text: "T <test@test.com>", Email: "test@test.com"}
	const hash = "/hu/iffe93qcsgp4c8ncbb378rxjo6cn9q6u?l=test"
	if a, d := id.UpdateURLs(); a != "https://openpgpkey.test.com/.well-known/openpgpkey/test.com"+hash || d != "https://test.com/.well-known/openpgpkey"+hash {
		t.Error(a, d)
	}
	for _, none := range []string{"Ann", "a b@c", "@c", "a@", "a@b@c"} {
		if a, d := (UserID{Text: none}).UpdateURLs(); a != "" || d != "" {
			t.Errorf("%s: %s", none, a)
		}
	}
}

// FuzzKeyring: whatever a keyring holds, reading, merging and listing it neither fails
// badly nor loses what was understood.
func FuzzKeyring(f *testing.F) {
	fixture := func(name string) []byte { // made by gpg: what a run does must not depend on chance
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		return data
	}
	made := fixture("key.sig")
	f.Add(fixture("key.gpg"))
	f.Add(fixture("subkey.gpg"))
	f.Add(keybox(fixture("key.gpg")))
	f.Add(armour(f, openpgp.PublicKeyType, fixture("key.gpg")))
	f.Fuzz(func(t *testing.T, data []byte) {
		ring, err := ParseKeyring(data)
		if err != nil {
			return
		}
		for _, k := range ring {
			k.Describe()
		}
		Verify(ring, []byte(text), [][]byte{made, data})
		updated, n, err := Import(nil, [][]byte{data}, nil)
		if err != nil {
			return
		}
		again, err := ParseKeyring(updated)
		if err != nil || len(again) != n || n > len(ring) {
			t.Fatalf("%d keys of %d were imported, %d are there: %v", n, len(ring), len(again), err)
		}
	})
}
