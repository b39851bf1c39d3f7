package delta

import (
	"encoding/binary"
	"io"
	"strconv"

	"deployfs/objstore/gvariant"
)

// Encode writes a superblock: its Metadata, then what else belongs there. Inline are the files
// of the parts that are to stand in it: of all, or none. Parts are read as the result is, so that
// they need not fit into memory.
func (s *Superblock) Encode(inline []*io.SectionReader) (r io.Reader, size int64) {
	metadata, parts, fallbacks := s.encodeMetadata(inline), s.encodeParts(), s.encodeFallbacks()
	from := s.From[:]
	if s.From.IsZero() {
		from = nil
	}
	var out stretch
	ends := make([]int64, 0, 6)
	member := func() { ends = append(ends, out.size) }
	out.add(metadata)
	member()
	out.align()
	out.bytes(binary.BigEndian.AppendUint64(nil, s.Timestamp))
	out.bytes(from)
	member()
	out.bytes(s.To[:])
	member()
	out.align()
	out.bytes(s.Commit)
	member()
	member() // no prerequisites
	out.align()
	out.bytes(parts.Bytes())
	member()
	out.align()
	out.bytes(fallbacks.Bytes())
	for i := range len(ends) / 2 {
		ends[i], ends[len(ends)-1-i] = ends[len(ends)-1-i], ends[i]
	}
	out.frame(ends)
	return io.MultiReader(out.pieces...), out.size
}

// EncodeSigned writes a signed superblock, of one that is encoded, and its signatures, an a{sv}.
func EncodeSigned(superblock []byte, signatures gvariant.Value) (r io.Reader, size int64) {
	var out stretch
	out.bytes(binary.BigEndian.AppendUint64(nil, signedMagic))
	out.bytes(superblock)
	end := out.size
	out.align()
	out.bytes(signatures.Bytes())
	out.frame([]int64{end})
	return io.MultiReader(out.pieces...), out.size
}

func (s *Superblock) encodeMetadata(inline []*io.SectionReader) (out stretch) {
	var ends []int64
	entry := func(key string, v gvariant.Value) {
		out.align()
		out.bytes(gvariant.NewEntry(gvariant.NewString(key), gvariant.NewVariant(v)).Bytes())
		ends = append(ends, out.size)
	}
	for i := range s.Metadata.Len() {
		e := s.Metadata.At(i)
		entry(e.At(0).Str(), e.At(1).Variant())
	}
	order := byte('l')
	if s.Order.Big {
		order = 'B'
	}
	entry(keyOrder, gvariant.NewByte(order))
	dir := s.Delta().Path()
	for i, file := range inline {
		out.align()
		out.add(inlineEntry(dir+"/"+strconv.Itoa(i), file))
		ends = append(ends, out.size)
	}
	if s.Detached.Type() != "" {
		entry(dir+"/commitmeta", s.Detached)
	}
	out.frame(ends)
	return out
}

// inlineEntry is an entry of metadata that holds the file of a part.
func inlineEntry(key string, file *io.SectionReader) (out stretch) {
	out.bytes(append([]byte(key), 0))
	end := out.size
	out.align()
	out.pieces = append(out.pieces, file)
	out.size += file.Size()
	out.bytes(append([]byte{0}, inlineType...))
	out.frame([]int64{end})
	return out
}

func (s *Superblock) encodeParts() gvariant.Value {
	list := make([]gvariant.Value, len(s.Parts))
	for i, p := range s.Parts {
		names := make([]byte, 0, nameSize*len(p.Objects))
		for _, name := range p.Objects {
			names = append(append(names, byte(name.Kind)), name.Checksum[:]...)
		}
		list[i] = gvariant.NewTuple(
			gvariant.NewUint32(s.Order.fix32(p.Version)), gvariant.NewBytes(p.Checksum[:]),
			gvariant.NewUint64(s.Order.fix64(p.Size)), gvariant.NewUint64(s.Order.fix64(p.Usize)), gvariant.NewBytes(names))
	}
	return gvariant.NewArray(partsType[1:], list...)
}

func (s *Superblock) encodeFallbacks() gvariant.Value {
	list := make([]gvariant.Value, len(s.Fallbacks))
	for i, f := range s.Fallbacks {
		list[i] = gvariant.NewTuple(
			gvariant.NewByte(byte(f.Object.Kind)), gvariant.NewBytes(f.Object.Checksum[:]),
			gvariant.NewUint64(s.Order.fix64(f.Size)), gvariant.NewUint64(s.Order.fix64(f.Usize)))
	}
	return gvariant.NewArray(fallbacksType[1:], list...)
}
