package sign

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"

	"deployfs/objstore/gvariant"
)

// FuzzParseKeys: what is accepted is lines of keys, and nothing of a file is
// passed over in silence but blanks and comments.
func FuzzParseKeys(f *testing.F) {
	a, _ := pair(1)
	f.Add([]byte(a.String() + "\n# note\n\n" + a.String()))
	f.Add([]byte("AAAA\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := ParseKeys("ed25519", data)
		if err != nil {
			return
		}
		var want []string
		for line := range strings.SplitSeq(string(data), "\n") {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				want = append(want, line)
			}
		}
		if len(keys) != len(want) {
			t.Fatalf("%d keys in %d lines", len(keys), len(want))
		}
		for i, k := range keys {
			again, err := ParseKey("ed25519", k.String())
			if err != nil || !again.Equal(k) || len(want[i]) < len(k.raw) {
				t.Fatalf("key %d: %v, %v", i, k, err)
			}
		}
	})
}

// FuzzSignatures: detached metadata is anybody's to write. None of it panics, and
// none is taken for a signature that was not made.
func FuzzSignatures(f *testing.F) {
	key, private := pair(1)
	e := &Keys{Scheme: "ed25519", Trusted: []Key{key}}
	data := []byte("a commit")
	good := ed25519.Sign(private, data)
	f.Add(dict("ostree.sign.ed25519", arrays(string(good), "short")).Bytes())
	f.Add(dict("ostree.gpgsigs", arrays("x"), "ostree.sign.dummy", arrays("secret")).Bytes())
	f.Add(dict("ostree.sign.ed25519", gvariant.NewString("x")).Bytes())
	f.Fuzz(func(t *testing.T, meta []byte) {
		v, err := gvariant.Parse("a{sv}", meta)
		if err != nil {
			return
		}
		Schemes(v)
		list, err := Signatures(v, "ed25519")
		if err != nil {
			return
		}
		verdicts := e.Verify(data, list)
		for i, verdict := range verdicts {
			if want := bytes.Equal(list[i], good); want != (verdict.Result == Good) {
				t.Fatalf("%x: %v", list[i], verdict)
			}
		}
		if len(verdicts) != len(list) || len(list) > maxSignatures {
			t.Fatal(len(verdicts), len(list))
		}
	})
}
