package delta

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// sample is a superblock with something of all.
func sample(t *testing.T, big bool, inline int) (*Superblock, []*io.SectionReader) {
	t.Helper()
	b := newBlock()
	s := &Superblock{From: dirName.Checksum, To: object.Checksum(b.to), Timestamp: 1 << 40, Commit: b.commit, Order: Order{Big: big, Known: true}}
	s.Metadata = gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString("mime"), gvariant.NewVariant(gvariant.NewString("first"))))
	s.Detached = gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString("k"), gvariant.NewVariant(gvariant.NewByte(1))))
	s.Fallbacks = []Fallback{{treeName, 3, 4 << 32}}
	var files []*io.SectionReader
	for i := range 3 {
		file := bytes.Repeat([]byte{byte(i)}, max(inline, 1))
		s.Parts = append(s.Parts, Part{Checksum: treeName.Checksum, Size: uint64(len(file)), Usize: 5 << 33, Objects: []object.Name{dirName, treeName}[:i%3]})
		files = append(files, io.NewSectionReader(bytes.NewReader(file), 0, int64(len(file))))
	}
	if inline == 0 {
		files = nil
	}
	return s, files
}

// TestEncode has what is written be read again, in normal form, with offsets of all lengths.
func TestEncode(t *testing.T) {
	for _, big := range []bool{false, true} {
		for _, inline := range []int{0, 1, 100, 1000, 70_000} {
			s, files := sample(t, big, inline)
			r, size := s.Encode(files)
			data, err := io.ReadAll(r)
			if err != nil || int64(len(data)) != size {
				t.Fatalf("%d bytes, said to be %d: %v", len(data), size, err)
			}
			back, err := Parse(data)
			if err != nil {
				t.Fatalf("%d bytes inline: %v", inline, err)
			}
			check(t, back, s, inline)
			signatures := gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString("ostree.sign.dummy"), gvariant.NewVariant(gvariant.NewArray("ay", gvariant.NewBytes([]byte("key"))))))
			r, size = EncodeSigned(data, signatures)
			signed, err := io.ReadAll(r)
			if err != nil || int64(len(signed)) != size {
				t.Fatalf("%d bytes signed, said to be %d: %v", len(signed), size, err)
			}
			if inner, found, ok := Signed(signed); !ok || !bytes.Equal(inner, data) || !bytes.Equal(found.Bytes(), signatures.Bytes()) {
				t.Errorf("signed: %v, %d bytes of %d", ok, len(inner), len(data))
			}
		}
	}
}

// check compares what was read with what was written.
func check(t *testing.T, got, want *Superblock, inline int) {
	t.Helper()
	if got.From != want.From || got.To != want.To || got.Timestamp != want.Timestamp || !bytes.Equal(got.Commit, want.Commit) || got.Order != want.Order {
		t.Errorf("read %+v, want %+v", got, want)
	}
	if first := got.Metadata.At(0); first.At(0).Str() != "mime" || !bytes.Equal(got.Detached.Bytes(), want.Detached.Bytes()) || !slices.Equal(got.Fallbacks, want.Fallbacks) {
		t.Errorf("%s first, detached %v, fallbacks %v", first.At(0).Str(), got.Detached, got.Fallbacks)
	}
	for i := range want.Parts {
		g, w := &got.Parts[i], &want.Parts[i]
		if g.Checksum != w.Checksum || g.Size != w.Size || g.Usize != w.Usize || !slices.Equal(g.Objects, w.Objects) {
			t.Errorf("part %+v, want %+v", g, w)
		}
		if data, ok := got.Inline(i); ok != (inline > 0) || !bytes.Equal(data, bytes.Repeat([]byte{byte(i)}, inline)) {
			t.Errorf("part %d inline: %v, %d bytes", i, ok, len(data))
		}
	}
}

// TestEncodeScratch has a delta that needs no commit, with no part.
func TestEncodeScratch(t *testing.T) {
	b := newBlock()
	s := &Superblock{To: object.Checksum(b.to), Commit: b.commit}
	r, _ := s.Encode(nil)
	data, _ := io.ReadAll(r)
	back, err := Parse(data)
	if err != nil || !back.From.IsZero() || len(back.Parts) != 0 || back.Detached.Type() != "" {
		t.Errorf("%+v, %v", back, err)
	}
}

// TestPayload has the tables of a part be read again.
func TestPayload(t *testing.T) {
	owners := []Owner{{1, 2, 0o100644}, {3, 4, 0o120777}}
	list := []object.Xattr{{Name: "user.k", Value: []byte("v")}}
	xattrs := []gvariant.Value{object.XattrsValue(nil), object.XattrsValue(list)}
	for _, data := range []string{"", "data", strings.Repeat("long", 30_000)} {
		r, size := Payload(owners, xattrs, []byte(data), []byte("Rc"))
		file, _ := io.ReadAll(io.MultiReader(bytes.NewReader([]byte{packedNot}), r))
		if int64(len(file)) != size+1 {
			t.Errorf("%d bytes, said to be %d", len(file)-1, size)
		}
		p, err := openPayload(nil, file)
		if err != nil {
			t.Fatal(err)
		}
		h, err := p.header(1, 1)
		if err != nil || OwnerOf(h) != owners[1] || len(h.Xattrs) != 1 || string(p.blob) != data || string(p.ops) != "Rc" {
			t.Errorf("%+v, %d bytes, %q: %v", h, len(p.blob), p.ops, err)
		}
	}
}
