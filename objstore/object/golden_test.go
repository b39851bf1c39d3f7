package object

import (
	"bytes"
	"crypto/sha256"
	"reflect"
	"testing"
)

// The example tree: hello.txt, empty, link and sub/x, as ostree stores it.
const (
	helloSum  = "44f778e59f0a4748d6b0c90a47347212a231c4ad1e8f7ea5c5dffc7749153a6b"
	emptySum  = "7245d84b7f2d4620c8a0c50b8d3ff98129fd7718f912b163ace544a252e55bee"
	linkSum   = "f66efa496a72379413c44593de510dc344beb045294f1a543da87b2b6118db35"
	setuidSum = "da6f8931136fdf7e457bf7eba1e9c44565c0a54dc4b542d012588c369db21452"
	rootSum   = "97911a9936c866d458ea007de643f2874ff7e614151528a778756298c82cde6d"
	subSum    = "31fab9119929b349d2128e3a58358a3803402e462b99c49d424db6a94115d3e7"
	plainSum  = "446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488"
	commitSum = "9f21b4e5e10443e9c46a97fb071e609cde716757e9c18552940ecc1050c616a3"

	contentSum = "66b147f737d178651eabb8beb8d65979ce9254390cb0a5f57108763f396bac27"
)

const goldenCommit = `6f73747265652e7265662d62696e64696e6700 0000000000 6d61696e00 05 00 6173 13 22
	7375626a00 626f647900 000000 000000006553f100
	97911a9936c866d458ea007de643f2874ff7e614151528a778756298c82cde6d
	446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488
	58 2d 28 23 23 23`

const goldenDirTree = `656d70747900 7245d84b7f2d4620c8a0c50b8d3ff98129fd7718f912b163ace544a252e55bee 06
	68656c6c6f2e74787400 44f778e59f0a4748d6b0c90a47347212a231c4ad1e8f7ea5c5dffc7749153a6b 0a
	6c696e6b00 f66efa496a72379413c44593de510dc344beb045294f1a543da87b2b6118db35 05
	27 52 78
	73756200 31fab9119929b349d2128e3a58358a3803402e462b99c49d424db6a94115d3e7
	446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488 24 04
	46 7b`

func TestGoldenContent(t *testing.T) {
	user := []Xattr{{"user.a", []byte("one")}, {"user.b", []byte("two")}}
	for _, c := range []struct {
		name, sum, content string
		header             Header
		hashed, filez      string // both without the content
	}{
		{"hello.txt", helloSum, "hello\n", Header{Mode: 0o100644, Size: 6},
			"00000012 00000000 0000000000000000 000081a4 00000000 00 11",
			"0000001a 00000000 0000000000000006 00000000 00000000 000081a4 00000000 00 19"},
		{"empty", emptySum, "", Header{Mode: 0o100755},
			"00000012 00000000 0000000000000000 000081ed 00000000 00 11",
			"0000001a 00000000 0000000000000000 00000000 00000000 000081ed 00000000 00 19"},
		{"link", linkSum, "", Header{Mode: 0o120777, Target: "hello.txt"},
			"0000001b 00000000 0000000000000000 0000a1ff 00000000 68656c6c6f2e74787400 1a",
			"00000023 00000000 0000000000000000 00000000 00000000 0000a1ff 00000000 68656c6c6f2e74787400 22"},
		{"sub/x", setuidSum, "x", Header{Mode: 0o104755, Size: 1, Xattrs: user},
			`0000002a 00000000 0000000000000000 000089ed 00000000 00
			757365722e6100 6f6e65 07 757365722e6200 74776f 07 0b 16 11`,
			`00000032 00000000 0000000000000001 00000000 00000000 000089ed 00000000 00
			757365722e6100 6f6e65 07 757365722e6200 74776f 07 0b 16 19`},
	} {
		hashed := unhex(t, c.hashed)
		if got := c.header.Hashed(); !bytes.Equal(got, hashed) {
			t.Errorf("%s: hashed header %x, want %x", c.name, got, hashed)
		}
		if got := Checksum(sha256.Sum256(append(hashed, c.content...))).String(); got != c.sum {
			t.Errorf("%s: checksum %s, want %s", c.name, got, c.sum)
		}
		filez := unhex(t, c.filez)
		if got := c.header.EncodeFilez(); !bytes.Equal(got, filez) {
			t.Errorf("%s: .filez header %x, want %x", c.name, got, filez)
		}
		size, err := FilezHeaderSize([HeaderPrefix]byte(filez), int64(len(filez)))
		if err != nil || size != len(filez)-HeaderPrefix {
			t.Errorf("%s: header of %d bytes, %v", c.name, size, err)
		}
		got, err := DecodeFilezHeader(filez[HeaderPrefix:])
		if err != nil || !reflect.DeepEqual(got, c.header) {
			t.Errorf("%s: decoded %+v, %v, want %+v", c.name, got, err, c.header)
		}
	}
}

// TestGoldenUserMeta reads what a bare-user repository keeps of sub/x and link.
func TestGoldenUserMeta(t *testing.T) {
	got, err := DecodeUserMeta(unhex(t, "0000000000000000000089ed 757365722e61006f6e6507 757365722e620074776f07 0b16"))
	want := Header{Mode: 0o104755, Xattrs: []Xattr{{"user.a", []byte("one")}, {"user.b", []byte("two")}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("sub/x: %+v, %v", got, err)
	}
	got, err = DecodeUserMeta(unhex(t, "00000000000000000000a1ff"))
	if err != nil || !got.IsSymlink() || got.UID != 0 || got.Xattrs != nil {
		t.Errorf("link: %+v, %v", got, err)
	}
}

func TestGoldenCommit(t *testing.T) {
	data := unhex(t, goldenCommit)
	if got := Checksum(sha256.Sum256(data)).String(); len(data) != 126 || got != commitSum {
		t.Fatalf("%d bytes of checksum %s", len(data), got)
	}
	c, err := DecodeCommit(data)
	if err != nil {
		t.Fatal(err)
	}
	if c.Subject != "subj" || c.Body != "body" || c.Timestamp != 1700000000 || !c.Parent.IsZero() ||
		c.Root.String() != rootSum || c.RootMeta.String() != plainSum {
		t.Errorf("decoded %+v", c)
	}
	if got := c.ContentChecksum().String(); got != contentSum {
		t.Errorf("content checksum %s, want %s", got, contentSum)
	}
	binding, ok := c.Metadata.Lookup("ostree.ref-binding")
	if !ok || binding.Type() != "as" || binding.Len() != 1 || binding.At(0).Str() != "main" {
		t.Errorf("ref binding %v, %v", binding, ok)
	}
	if got := encodeCommit(t, c, data); !bytes.Equal(got, data) {
		t.Errorf("encoded as %x", got)
	}
}

func TestGoldenDirTree(t *testing.T) {
	data := unhex(t, goldenDirTree)
	if got := Checksum(sha256.Sum256(data)).String(); len(data) != 195 || got != rootSum {
		t.Fatalf("%d bytes of checksum %s", len(data), got)
	}
	d, err := DecodeDirTree(data)
	if err != nil {
		t.Fatal(err)
	}
	if d.NumFiles() != 3 || d.NumDirs() != 1 {
		t.Fatalf("%d files and %d directories", d.NumFiles(), d.NumDirs())
	}
	for i, want := range [][2]string{{"empty", emptySum}, {"hello.txt", helloSum}, {"link", linkSum}} {
		if name, sum := d.File(i); string(name) != want[0] || sum != must(t, want[1]) {
			t.Errorf("file %d: %s %s", i, name, sum)
		}
	}
	if name, tree, meta := d.Dir(0); string(name) != "sub" || tree != must(t, subSum) || meta != must(t, plainSum) {
		t.Errorf("directory: %s %s %s", name, tree, meta)
	}
	checkFinds(t, d)
	if got := encodeDirTree(d); !bytes.Equal(got, data) {
		t.Errorf("encoded as %x", got)
	}
}

func TestGoldenDirMeta(t *testing.T) {
	data := unhex(t, "0000000000000000000041ed")
	if got := Checksum(sha256.Sum256(data)).String(); got != plainSum {
		t.Fatalf("checksum %s", got)
	}
	m, err := DecodeDirMeta(data)
	if err != nil || m.Mode != 0o040755 || m.UID != 0 || m.GID != 0 || m.Xattrs != nil {
		t.Errorf("decoded %+v, %v", m, err)
	}
	if got := m.Encode(); !bytes.Equal(got, data) {
		t.Errorf("encoded as %x", got)
	}
}
