package delta

import (
	"bytes"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

func TestParse(t *testing.T) {
	b := newBlock()
	f := newForged().makes(treeName, dirName)
	to := object.Checksum(b.to)
	dir := objstore.Delta{To: to}.Path()
	inline := gvariant.NewTuple(gvariant.NewByte(packedNot), gvariant.NewBytes(f.file()[1:]))
	meta := gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString("k"), gvariant.NewVariant(gvariant.NewByte(1))))
	b.key(keyOrder, gvariant.NewByte('l')).key(dir+"/1", inline).key(dir+"/0", gvariant.NewString("of another type")).key(dir+"/commitmeta", meta)
	b.add(f).add(f)
	b.fallbacks = append(b.fallbacks, gvariant.NewTuple(gvariant.NewByte(1), gvariant.NewBytes(dirName.Checksum[:]), gvariant.NewUint64(3), gvariant.NewUint64(4)))
	plain := b.bytes(t)
	for _, data := range [][]byte{plain, signed(plain, "dummy", []byte("x"))} {
		s, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		if s.To != to || !s.From.IsZero() || s.Timestamp != 7 || !bytes.Equal(s.Commit, b.commit) || s.Order.String() != "little" {
			t.Errorf("%+v", s)
		}
		if p := s.Parts[0]; len(p.Objects) != 2 || p.Objects[0] != treeName || p.Size != uint64(len(f.file())) || p.Check(f.file()) != nil {
			t.Errorf("part %+v", p)
		}
		if _, ok := s.Inline(0); ok {
			t.Error("a string is a part")
		}
		if got, ok := s.Inline(1); !ok || !bytes.Equal(got, f.file()) || s.PartPath(1) != dir+"/1" {
			t.Errorf("inline %q at %s", got, s.PartPath(1))
		}
		if len(s.Fallbacks) != 1 || s.Fallbacks[0].Usize != 4 || !bytes.Equal(s.Detached.Bytes(), meta.Bytes()) {
			t.Errorf("%+v %v", s.Fallbacks, s.Detached)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	sum := make([]byte, 32)
	for want, spoil := range map[string]func(b *block){
		"Invalid checksum of length 3 expected 32":                         func(b *block) { b.to = b.to[:3] },
		"Invalid checksum of length 31 expected 32":                        func(b *block) { b.from = sum[:31] },
		"Corrupted commit object; checksum expected='0000":                 func(b *block) { b.to = sum },
		"delta part 0: Invalid checksum of length 0 expected 32":           func(b *block) { b.part(0, nil, 0, 0, nil) },
		"delta part 1: Invalid checksum array length 32":                   func(b *block) { b.add(newForged()).part(0, sum, 0, 0, sum) },
		"delta part 0: Invalid object type '9'":                            func(b *block) { b.part(0, sum, 0, 0, append([]byte{9}, sum...)) },
		"delta part 0: Invalid object type '0'":                            func(b *block) { b.part(0, sum, 0, 0, append([]byte{0}, sum...)) },
		strings.Repeat("0", 64) + ".commit is not what the delta leads to": func(b *block) { b.part(0, sum, 0, 0, append([]byte{4}, sum...)) },
		"fallback 0: Invalid object type '4'": func(b *block) {
			b.fallbacks = append(b.fallbacks, gvariant.NewTuple(gvariant.NewByte(4), gvariant.NewBytes(sum), gvariant.NewUint64(0), gvariant.NewUint64(0)))
		},
	} {
		b := newBlock()
		spoil(b)
		if _, err := Parse(b.bytes(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	good := newBlock().bytes(t)
	for _, data := range [][]byte{nil, good[:len(good)-1], append(bytes.Clone(good), 0), signed(good[1:], "dummy", nil)} {
		if _, err := Parse(data); err == nil {
			t.Errorf("%d bytes are taken", len(data))
		}
	}
}

// TestOrder: what the superblock says counts, else the sizes tell.
func TestOrder(t *testing.T) {
	list := listed(treeName)
	for _, c := range []struct {
		key         string
		size, usize uint64
		order       string
		want        uint64
	}{
		{"l", 1 << 56, 1 << 56, "little", 1 << 56},
		{"B", 1 << 56, 1 << 56, "big", 1},
		{"x", 1 << 56, 1 << 56, "invalid", 1 << 56},
		{"", 12, 10, "invalid", 12},
		{"", 13, 10, "big (heuristic)", 13 << 56},
		{"", 1, 0, "big (heuristic)", 1 << 56},
		{"", 1<<32 - 1, 1 << 32, "invalid", 1<<32 - 1},
		{"", 1 << 32, 1 << 32, "big (heuristic)", 1 << 24},
		{"", 0, 0, "invalid", 0},
	} {
		b := newBlock()
		if c.key != "" {
			b.key(keyOrder, gvariant.NewByte(c.key[0]))
		}
		s, err := Parse(b.part(0, make([]byte, 32), c.size, c.usize, list).bytes(t))
		if err != nil || s.Order.String() != c.order || s.Parts[0].Size != c.want {
			t.Errorf("%+v: %s, %d, %v", c, s.Order, s.Parts[0].Size, err)
		}
	}
}

func TestSigned(t *testing.T) {
	inner := newBlock().bytes(t)
	got, signatures, ok := Signed(signed(inner, "ed25519", []byte("sig")))
	if !ok || !bytes.Equal(got, inner) || signatures.Len() != 1 {
		t.Errorf("%v, %d bytes, %v", ok, len(got), signatures)
	}
	other := bytes.Replace(signed(inner, "ed25519", nil), []byte("ostree.sign."), []byte("ostree.sigh."), 1)
	for _, data := range [][]byte{inner, other, nil, []byte("OSTSGNDT")} {
		if _, _, ok := Signed(data); ok {
			t.Errorf("%d bytes are signed", len(data))
		}
	}
}

func FuzzSuperblock(f *testing.F) {
	b := newBlock().key(keyOrder, gvariant.NewByte('B')).add(newForged().makes(treeName))
	f.Add(b.bytes(f))
	f.Add(signed(b.bytes(f), "dummy", []byte("k")))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse(data)
		if err != nil {
			return
		}
		for i := range s.Parts {
			s.Inline(i)
			s.PartPath(i)
		}
		if len(s.Commit) == 0 || s.To.IsZero() {
			t.Errorf("%+v", s)
		}
	})
}
