package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"deployfs/objstore/facts"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/openpgp"
	"deployfs/objstore/sign"
)

// signedMeta is detached metadata that ostree wrote, with a signature that gpg made.
const signedMeta = "6e6f74650000000068656c6c6f00007305000000000000006f73747265652e67706773696773000088750400160800" +
	"1d1621042322881b950bba4c4b59703a5f529e54c6acf76705026b0add53000a09105f529e54c6acf767abfe0100c1a9ba9fc71c2edeaeecbba971c1" +
	"7cbf5c232b7acd84e6639eb741710bb2ed5900fe382ba7c7217439d46ab285cc159f90e863480dba7b2934a65c28edf88107be0877006161790f11a5"

// FuzzDetached: detached metadata that is accepted is printed, in words and as
// JSON; what is told of signatures is no more than lines.
func FuzzDetached(f *testing.F) {
	data, _ := hex.DecodeString(signedMeta)
	f.Add(data)
	f.Add(gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString("ostree.gpgsigs"), gvariant.NewVariant(gvariant.NewString("none")))).Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := gvariant.Parse("a{sv}", data)
		if err != nil {
			return
		}
		if _, err := json.Marshal(facts.Value(v)); err != nil {
			t.Fatal(err)
		}
		gvariant.Print(v, true, false)
		var text bytes.Buffer
		signatures, _ := sign.Signatures(v, "gpg")
		if err := printSignatures(&text, "%s", openpgp.Verify(nil, nil, signatures)); err != nil {
			t.Fatal(err)
		}
		odd := func(c rune) bool { return c != '\n' && unicode.IsControl(c) }
		if strings.IndexFunc(text.String(), odd) >= 0 {
			t.Fatalf("%q", text.String())
		}
	})
}
