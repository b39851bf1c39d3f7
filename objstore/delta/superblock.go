package delta

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

const (
	partsType      = "a(uayttay)"
	fallbacksType  = "a(yaytt)"
	superblockType = "(a{sv}tayay" + object.CommitType + "ay" + partsType + fallbacksType + ")"
)

// inlineType is that of the file of a part that stands in a superblock.
const inlineType = "(yay)"

// The members of a superblock.
const (
	atMetadata = iota
	atTimestamp
	atFrom
	atTo
	atCommit
	atPrerequisites
	atParts
	atFallbacks
)

// Superblock is what a delta says about itself. It keeps the bytes that it was
// read from.
type Superblock struct {
	From, To      object.Checksum // From is zero for a delta that needs no commit
	Timestamp     uint64          // of the delta, seconds since 1970, UTC
	Commit        []byte          // the commit object of To
	Detached      gvariant.Value  // its detached metadata, an a{sv}; zero when the delta has none
	Parts         []Part
	Fallbacks     []Fallback
	Prerequisites int // deltas that are to be applied before; no program makes any
	Metadata      gvariant.Value
	Order         Order
}

// Fallback is an object that the delta leads to and does not hold.
type Fallback struct {
	Object      object.Name
	Size, Usize uint64 // bytes in an archive, and of content; not to be relied on
}

// Parse reads a superblock, plain or signed; of a signed one the signatures are not
// looked at. Data is in normal form and the commit is the one of To, or it fails.
func Parse(data []byte) (*Superblock, error) {
	if inner, _, ok := Signed(data); ok {
		data = inner
	}
	v, err := gvariant.Parse(superblockType, data)
	if err != nil {
		return nil, fmt.Errorf("static delta superblock: %w", err)
	}
	s := &Superblock{
		Metadata:      v.At(atMetadata),
		Timestamp:     bits.ReverseBytes64(v.At(atTimestamp).Uint64()),
		Commit:        v.At(atCommit).Bytes(),
		Prerequisites: len(v.At(atPrerequisites).Bytes()) / (2 * len(object.Checksum{})),
	}
	if err := s.parseEnds(v); err != nil {
		return nil, err
	}
	s.Order = orderOf(s.Metadata, v.At(atParts))
	if err := s.parseParts(v.At(atParts)); err != nil {
		return nil, err
	}
	if err := s.parseFallbacks(v.At(atFallbacks)); err != nil {
		return nil, err
	}
	s.findInline()
	return s, nil
}

// parseEnds reads from where the delta leads to where.
func (s *Superblock) parseEnds(v gvariant.Value) (err error) {
	if s.To, err = checksum(v.At(atTo)); err != nil {
		return err
	}
	if from := v.At(atFrom); len(from.Bytes()) > 0 {
		if s.From, err = checksum(from); err != nil {
			return err
		}
	}
	name := object.Name{Checksum: s.To, Kind: object.KindCommit}
	if found := object.Checksum(sha256.Sum256(s.Commit)); found != s.To {
		return words(object.Mismatch(name, found))
	}
	if _, err := object.DecodeCommit(s.Commit); err != nil {
		return object.Corrupt(name, err)
	}
	return nil
}

// checksum reads an ay that holds one.
func checksum(v gvariant.Value) (sum object.Checksum, err error) {
	data := v.ByteString()
	if len(data) != len(sum) {
		return sum, fmt.Errorf("Invalid checksum of length %d expected %d", len(data), len(sum))
	}
	return object.Checksum(data), nil
}

func (s *Superblock) parseParts(list gvariant.Value) error {
	s.Parts = make([]Part, list.Len())
	for i := range s.Parts {
		v, p := list.At(i), &s.Parts[i]
		*p = Part{index: i, to: s.To, Version: s.Order.fix32(v.At(0).Uint32()), Size: s.Order.fix64(v.At(2).Uint64()), Usize: s.Order.fix64(v.At(3).Uint64())}
		var err error
		if p.Checksum, err = checksum(v.At(1)); err == nil {
			p.Objects, err = s.objects(v.At(4).ByteString())
		}
		if err != nil {
			return fmt.Errorf("delta part %d: %w", i, err)
		}
	}
	return nil
}

// nameSize is the size of an object's name in a list: a byte for the kind, and the
// checksum.
const nameSize = 1 + len(object.Checksum{})

// objects reads what a part makes.
func (s *Superblock) objects(data []byte) ([]object.Name, error) {
	if len(data)%nameSize != 0 {
		return nil, fmt.Errorf("Invalid checksum array length %d", len(data))
	}
	list := make([]object.Name, len(data)/nameSize)
	for i := range list {
		one := data[i*nameSize:][:nameSize]
		name := object.Name{Kind: object.Kind(one[0]), Checksum: object.Checksum(one[1:])}
		switch {
		case name.Kind < object.KindFile || name.Kind > object.KindCommit:
			return nil, fmt.Errorf("Invalid object type '%d'", one[0])
		case name.Kind == object.KindCommit && name.Checksum != s.To:
			return nil, fmt.Errorf("%s is not what the delta leads to", name)
		}
		list[i] = name
	}
	return list, nil
}

func (s *Superblock) parseFallbacks(list gvariant.Value) error {
	s.Fallbacks = make([]Fallback, list.Len())
	for i := range s.Fallbacks {
		v := list.At(i)
		sum, err := checksum(v.At(1))
		if err != nil {
			return fmt.Errorf("fallback %d: %w", i, err)
		}
		kind := object.Kind(v.At(0).Byte())
		if kind < object.KindFile || kind > object.KindDirMeta {
			return fmt.Errorf("fallback %d: Invalid object type '%d'", i, kind)
		}
		s.Fallbacks[i] = Fallback{object.Name{Checksum: sum, Kind: kind}, s.Order.fix64(v.At(2).Uint64()), s.Order.fix64(v.At(3).Uint64())}
	}
	return nil
}

// findInline finds the parts that stand in the superblock, and detached metadata. As in
// GLib, the first of several equal keys counts, and it is nothing if its type is another.
func (s *Superblock) findInline() {
	found := map[string]gvariant.Value{}
	dir := s.Delta().Path() + "/"
	for i := range s.Metadata.Len() {
		entry := s.Metadata.At(i)
		name, ok := bytes.CutPrefix(entry.At(0).Text(), []byte(dir))
		if _, twice := found[string(name)]; ok && !twice {
			found[string(name)] = entry.At(1).Variant()
		}
	}
	if v := found["commitmeta"]; v.Type() == "a{sv}" {
		s.Detached = v
	}
	for i := range s.Parts {
		if v := found[strconv.Itoa(i)]; v.Type() == "(yay)" {
			s.Parts[i].inline = v.Bytes()
		}
	}
}

// Delta is the delta's name.
func (s *Superblock) Delta() objstore.Delta { return objstore.Delta{From: s.From, To: s.To} }

// Inline is the file of part i where the superblock holds it.
func (s *Superblock) Inline(i int) ([]byte, bool) {
	return s.Parts[i].inline, s.Parts[i].inline != nil
}

// PartPath is the file of part i, from the repository on.
func (s *Superblock) PartPath(i int) string { return s.Delta().Path() + "/" + strconv.Itoa(i) }

// signedType is that of a signed superblock: a magic number, a superblock as bytes,
// signatures by scheme.
const signedType = "(taya{sv})"

// signedMagic is "OSTSGNDT".
const signedMagic = 0x4f535453474e4454

// signaturePrefix is what the keys of signatures begin with.
const signaturePrefix = "ostree.sign."

// Signed takes a signed superblock apart: into the bytes that are signed and the
// signatures, an a{sv} as detached metadata holds them. It is false for a plain one.
func Signed(data []byte) (superblock []byte, signatures gvariant.Value, ok bool) {
	if len(data) < 8 || binary.BigEndian.Uint64(data) != signedMagic {
		return nil, signatures, false
	}
	v, err := gvariant.Parse(signedType, data)
	if err != nil {
		return nil, signatures, false
	}
	signatures = v.At(2)
	for i := range signatures.Len() {
		if bytes.HasPrefix(signatures.At(i).At(0).Text(), []byte(signaturePrefix)) {
			return v.At(1).ByteString(), signatures, true
		}
	}
	return nil, gvariant.Value{}, false
}
