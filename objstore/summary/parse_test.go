package summary

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

var aRef = Ref{Name: "main", Size: 100, Commit: object.Checksum{1}, Metadata: gvariant.NewArray("{sv}")}

// TestParseReal reads what ostree 2022.7 wrote: two refs, one of another
// collection, and a static delta.
func TestParseReal(t *testing.T) {
	data, err := os.ReadFile("testdata/ostree-2022.7.summary")
	check(t, err)
	s, err := Parse(data)
	check(t, err)
	if s.Collection() != "org.a.Own" || s.Refs().Len() != 2 || s.Mode() != "archive-z2" || s.Metadata().Len() != 7 {
		t.Error(gvariant.Print(s.Value(), true, false))
	}
	if ref, ok := s.Refs().Lookup("x/b"); !ok || ref.Version() != "1" || ref.Size != 190 {
		t.Errorf("%+v", ref)
	}
	for d, digest := range s.Deltas() {
		if !strings.HasPrefix(d.To.String(), "3627") || digest.IsZero() {
			t.Error(d, digest)
		}
	}
}

func TestParseRefused(t *testing.T) {
	with := func(change func(*Ref)) []byte {
		ref := aRef
		change(&ref)
		return encode([]Ref{ref}, nil).Bytes()
	}
	about := func(key string, v gvariant.Value) []byte {
		return encode(nil, []gvariant.Value{newEntry(key, v)}).Bytes()
	}
	good := encode([]Ref{aRef}, nil).Bytes()
	deltas := func(name string, digest gvariant.Value) []byte {
		return about(keyDeltas, gvariant.NewArray("{sv}", newEntry(name, digest)))
	}
	to := strings.Repeat("1", 64)
	bad := func(id string, list ...Ref) []byte {
		return about(keyCollections, gvariant.NewArray("{s"+refsType+"}", gvariant.NewEntry(gvariant.NewString(id), encodeRefs(list))))
	}
	for name, c := range map[string]struct {
		data []byte
		err  string
	}{
		"empty":               {nil, "not in normal form"},
		"cut":                 {good[:len(good)-1], "not in normal form"},
		"more":                {append(good[:len(good):len(good)], 0), "not in normal form"},
		"name":                {with(func(r *Ref) { r.Name = "../x" }), `Invalid ref name "../x"`},
		"escape":              {with(func(r *Ref) { r.Name = "\x1b[31m" }), `Invalid ref name "\x1b[31m"`},
		"no commit":           {with(func(r *Ref) { r.Commit = object.Checksum{} }), "invalid checksum of zeroes"},
		"collection":          {about(keyCollection, gvariant.NewString("x")), "Invalid collection ID x"},
		"other collection":    {bad("x"), "Invalid collection ID x"},
		"ref of a collection": {bad("a.b", Ref{Name: "-", Commit: aRef.Commit, Metadata: aRef.Metadata}), `collection a.b: Invalid ref name "-"`},
		"delta":               {deltas("x", gvariant.NewBytes(aRef.Commit[:])), `invalid name of a static delta "x"`},
		"digest":              {deltas(to, gvariant.NewBytes([]byte{1})), "invalid checksum of length 1 expected 32"},
		"digest's type":       {deltas(to, gvariant.NewBool(true)), "a digest of type b"},
	} {
		if _, err := Parse(c.data); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, want %s", name, err, c.err)
		}
	}
}

// TestOtherTypes: metadata of a known name and another type is metadata that
// nobody knows.
func TestOtherTypes(t *testing.T) {
	var list []gvariant.Value
	for _, key := range []string{keyLastModified, keyExpires, keyMode, keyTombstones, keyIndexedDeltas, keyDeltas, keyCollection, keyCollections} {
		list = append(list, newEntry(key, gvariant.NewByte(1)))
	}
	s, err := Parse(encode(nil, list).Bytes())
	check(t, err)
	if _, ok := s.LastModified(); ok || s.Mode() != "" || s.Tombstones() || s.Collection() != "" {
		t.Error(gvariant.Print(s.Value(), true, false))
	}
	for id := range s.Collections() {
		t.Error(id)
	}
	for d := range s.Deltas() {
		t.Error(d)
	}
}

// FuzzParse: what is read is written again as it was, and every part of it can be
// asked for.
func FuzzParse(f *testing.F) {
	data, err := os.ReadFile("testdata/ostree-2022.7.summary")
	check(f, err)
	f.Add(data)
	f.Add(encode([]Ref{aRef}, nil).Bytes())
	f.Add(encode(nil, nil).Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse(data)
		if err != nil {
			return
		}
		again := encode(list(s.Refs()), entries(s))
		if !bytes.Equal(again.Bytes(), data) {
			t.Fatalf("%x became %x", data, again.Bytes())
		}
	})
}

func list(r Refs) (all []Ref) {
	for i := range r.Len() {
		ref := r.At(i)
		ref.Timestamp()
		ref.Version()
		all = append(all, ref)
	}
	return all
}

func entries(s *Summary) (all []gvariant.Value) {
	for id, refs := range s.Collections() {
		if id == "" || len(list(refs)) != refs.Len() {
			panic(id)
		}
	}
	for d := range s.Deltas() {
		if d.To.IsZero() {
			panic(d)
		}
	}
	for i := range s.Metadata().Len() {
		all = append(all, s.Metadata().At(i))
	}
	return all
}

// manyRefs are n refs, sorted.
func manyRefs(n int) (all []Ref) {
	for i := range n {
		ref := aRef
		ref.Name = fmt.Sprintf("r%06d", i)
		ref.Size = uint64(i)
		all = append(all, ref)
	}
	return all
}

// TestLookup finds what is there, also where it is not where it should be.
func TestLookup(t *testing.T) {
	sorted := manyRefs(9)
	unsorted := slices.Clone(sorted)
	slices.Reverse(unsorted)
	for _, list := range [][]Ref{nil, sorted[:1], sorted, unsorted} {
		s, err := Parse(encode(list, nil).Bytes())
		check(t, err)
		for _, want := range list {
			if got, ok := s.Refs().Lookup(want.Name); !ok || got.Size != want.Size {
				t.Errorf("%s of %d: %+v, %t", want.Name, len(list), got, ok)
			}
		}
		for _, name := range []string{"", "r", "r0000000", "s"} {
			if got, ok := s.Refs().Lookup(name); ok {
				t.Errorf("%q of %d: %+v", name, len(list), got)
			}
		}
	}
}

// BenchmarkLookup looks one of many refs up.
func BenchmarkLookup(b *testing.B) {
	s, err := Parse(encode(manyRefs(20000), nil).Bytes())
	check(b, err)
	for i := 0; b.Loop(); i++ {
		if _, ok := s.Refs().Lookup(fmt.Sprintf("r%06d", i%20000)); !ok {
			b.Fatal(i)
		}
	}
}
