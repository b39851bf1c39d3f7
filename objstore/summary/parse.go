package summary

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
	"sort"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

// MaxSize bounds a summary, in bytes; it is ostree's bound.
const MaxSize = 128 << 20

const (
	summaryType = "(a(s(taya{sv}))a{sv})"
	refType     = "(s(taya{sv}))"
	refsType    = "a" + refType
	dictType    = "a{sv}"
	mapType     = "a{s" + refsType + "}"
)

// Keys of the metadata that have a meaning here.
const (
	keyLastModified  = "ostree.summary.last-modified"
	keyExpires       = "ostree.summary.expires"
	keyMode          = "ostree.summary.mode"
	keyTombstones    = "ostree.summary.tombstone-commits"
	keyIndexedDeltas = "ostree.summary.indexed-deltas"
	keyDeltas        = "ostree.static-deltas"
	keyCollection    = "ostree.summary.collection-id"
	keyCollections   = "ostree.summary.collection-map"

	keyTimestamp = "ostree.commit.timestamp"
	keyVersion   = "ostree.commit.version"
)

// Summary is a summary that was read. It keeps the bytes that it was made of, and
// takes them apart when it is asked.
type Summary struct{ value gvariant.Value }

// Read reads a repository's summary.
func Read(repo *objstore.Repo) (*Summary, error) {
	data, err := repo.ReadFile("summary", MaxSize)
	if err != nil {
		return nil, fmt.Errorf("openat(summary): %w", err)
	}
	return Parse(data)
}

// Parse reads a summary, which it keeps. It fails unless data is in normal form,
// and every ref, checksum, collection and delta in it is one.
func Parse(data []byte) (*Summary, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("summary: %w", &objstore.SizeError{Size: int64(len(data)), Limit: MaxSize})
	}
	v, err := gvariant.Parse(summaryType, data)
	if err != nil {
		return nil, fmt.Errorf("summary: %w", err)
	}
	s := &Summary{v}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("summary: %w", err)
	}
	return s, nil
}

func (s *Summary) check() error {
	if err := s.Refs().check(); err != nil {
		return err
	}
	if id := s.Collection(); id != "" {
		if err := refs.CheckCollection(id); err != nil {
			return err
		}
	}
	for id, list := range s.Collections() {
		if err := refs.CheckCollection(id); err != nil {
			return err
		}
		if err := list.check(); err != nil {
			return fmt.Errorf("collection %s: %w", id, err)
		}
	}
	return checkDeltas(s.Metadata())
}

// checkDeltas fails unless what a dictionary says of static deltas is well-formed.
func checkDeltas(dict gvariant.Value) error {
	deltas, _ := lookup(dict, keyDeltas, dictType)
	for i := range deltas.Len() {
		name, digest := deltas.At(i).At(0).Str(), deltas.At(i).At(1).Variant()
		if _, ok := objstore.ParseDelta(name); !ok {
			return fmt.Errorf("invalid name of a static delta %q", name[:min(len(name), 130)])
		}
		if digest.Type() != "ay" {
			return fmt.Errorf("static delta %s: a digest of type %s", name, digest.Type())
		}
		if err := checkSum(digest); err != nil {
			return fmt.Errorf("static delta %s: %w", name, err)
		}
	}
	return nil
}

// Value is the whole of it, of the type (a(s(taya{sv}))a{sv}).
func (s *Summary) Value() gvariant.Value { return s.value }

// Metadata is the a{sv} of what is no ref.
func (s *Summary) Metadata() gvariant.Value { return s.value.At(1) }

// lookup finds metadata of this type.
func (s *Summary) lookup(key, typ string) (gvariant.Value, bool) {
	return lookup(s.Metadata(), key, typ)
}

func lookup(dict gvariant.Value, key, typ string) (gvariant.Value, bool) {
	if v, ok := dict.Lookup(key); ok && v.Type() == typ {
		return v, true
	}
	return gvariant.Value{}, false
}

// Refs are those of the repository's own collection, or of none.
func (s *Summary) Refs() Refs { return Refs{s.value.At(0)} }

// Collection is the id of the collection of [Summary.Refs], or "".
func (s *Summary) Collection() string { return text(s.Metadata(), keyCollection) }

// Collections visits the other collections.
func (s *Summary) Collections() func(yield func(id string, list Refs) bool) {
	return func(yield func(string, Refs) bool) {
		all, _ := s.lookup(keyCollections, mapType)
		for i := range all.Len() {
			if entry := all.At(i); !yield(entry.At(0).Str(), Refs{entry.At(1)}) {
				return
			}
		}
	}
}

// Deltas visits the static deltas, each with the SHA-256 of its superblock.
func (s *Summary) Deltas() func(yield func(objstore.Delta, object.Checksum) bool) {
	return deltasOf(s.Metadata())
}

// ParseIndex reads an index of static deltas, which says of them what [Summary.Deltas] says.
func ParseIndex(data []byte) (func(yield func(objstore.Delta, object.Checksum) bool), error) {
	dict, err := gvariant.Parse(dictType, data)
	if err == nil {
		err = checkDeltas(dict)
	}
	if err != nil {
		return nil, fmt.Errorf("index of static deltas: %w", err)
	}
	return deltasOf(dict), nil
}

func deltasOf(dict gvariant.Value) func(yield func(objstore.Delta, object.Checksum) bool) {
	return func(yield func(objstore.Delta, object.Checksum) bool) {
		all, _ := lookup(dict, keyDeltas, dictType)
		for i := range all.Len() {
			name, _ := objstore.ParseDelta(all.At(i).At(0).Str())
			if !yield(name, object.Checksum(all.At(i).At(1).Variant().ByteString())) {
				return
			}
		}
	}
}

// LastModified is when the summary was made, in seconds since 1970.
func (s *Summary) LastModified() (uint64, bool) { return swapped(s.Metadata(), keyLastModified) }

// Expires is when the publisher means to have made another, in seconds since 1970.
func (s *Summary) Expires() (uint64, bool) { return swapped(s.Metadata(), keyExpires) }

// Mode is the repository's mode, as its config has it, or "".
func (s *Summary) Mode() string { return text(s.Metadata(), keyMode) }

// Tombstones reports whether the repository says which commits it has deleted.
func (s *Summary) Tombstones() bool { return truth(s.Metadata(), keyTombstones) }

// IndexedDeltas reports whether the repository has indexes of its static deltas.
func (s *Summary) IndexedDeltas() bool { return truth(s.Metadata(), keyIndexedDeltas) }

func text(dict gvariant.Value, key string) string {
	if v, ok := lookup(dict, key, "s"); ok {
		return v.Str()
	}
	return ""
}

func truth(dict gvariant.Value, key string) bool {
	v, ok := lookup(dict, key, "b")
	return ok && v.Bool()
}

// swapped is a number that is stored big endian.
func swapped(dict gvariant.Value, key string) (uint64, bool) {
	if v, ok := lookup(dict, key, "t"); ok {
		return bits.ReverseBytes64(v.Uint64()), true
	}
	return 0, false
}

// Refs are the refs of a collection.
type Refs struct{ list gvariant.Value }

// Len is how many there are.
func (r Refs) Len() int { return r.list.Len() }

// At is ref i; it panics unless 0 <= i < Len().
func (r Refs) At(i int) Ref {
	entry := r.list.At(i)
	about := entry.At(1)
	return Ref{
		Name: entry.At(0).Str(), Size: about.At(0).Uint64(),
		Commit: object.Checksum(about.At(1).ByteString()), Metadata: about.At(2),
	}
}

// Lookup finds a ref by its name: at once in a list that is sorted, as they should be, and
// also in others.
func (r Refs) Lookup(name string) (Ref, bool) {
	n := r.list.Len()
	compare := func(i int) int { return bytes.Compare([]byte(name), r.list.At(i).At(0).Text()) }
	if i, ok := sort.Find(n, compare); ok {
		return r.At(i), true
	}
	for i := range n {
		if compare(i) == 0 {
			return r.At(i), true
		}
	}
	return Ref{}, false
}

func (r Refs) check() error {
	for i := range r.list.Len() {
		entry := r.list.At(i)
		name := entry.At(0).Str()
		if err := refs.CheckRef(name); err != nil {
			return fmt.Errorf("Invalid ref name %q", name[:min(len(name), 80)])
		}
		if err := checkSum(entry.At(1).At(1)); err != nil {
			return fmt.Errorf("ref %s: %w", name, err)
		}
	}
	return nil
}

// checkSum fails unless v, an ay, is a checksum. Zero stands for none elsewhere.
func checkSum(v gvariant.Value) error {
	sum := v.ByteString()
	switch {
	case len(sum) != len(object.Checksum{}):
		return fmt.Errorf("invalid checksum of length %d expected %d", len(sum), len(object.Checksum{}))
	case object.Checksum(sum).IsZero():
		return errors.New("invalid checksum of zeroes")
	}
	return nil
}

// Ref is a ref and the commit that it names.
type Ref struct {
	Name     string
	Size     uint64 // of the commit object, in bytes
	Commit   object.Checksum
	Metadata gvariant.Value // a{sv}
}

// Timestamp is the commit's, in seconds since 1970.
func (r Ref) Timestamp() (uint64, bool) { return swapped(r.Metadata, keyTimestamp) }

// Version is the commit's, or "".
func (r Ref) Version() string { return text(r.Metadata, keyVersion) }
