package object

import (
	"encoding/hex"
	"math/bits"
	"strings"
	"testing"

	"deployfs/objstore/gvariant"
)

// unhex reads hexadecimal digits; blanks between them only help the reader.
func unhex(t testing.TB, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// must takes a checksum out of its digits.
func must(t testing.TB, digits string) Checksum {
	t.Helper()
	sum, err := ParseChecksum(digits)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// The parts of objects, right or wrong; sums are bytes, so that they can have any length.

func str(text string) gvariant.Value { return gvariant.NewString(text) }

func raw(data string) gvariant.Value { return gvariant.NewBytes([]byte(data)) }

func file(name, sum string) gvariant.Value { return gvariant.NewTuple(str(name), raw(sum)) }

func dir(name, tree, meta string) gvariant.Value {
	return gvariant.NewTuple(str(name), raw(tree), raw(meta))
}

// xattr is a pair of an a(ayay); its name must bring its own NUL.
func xattr(name, value string) gvariant.Value { return gvariant.NewTuple(raw(name), raw(value)) }

func xattrs(pairs ...gvariant.Value) gvariant.Value { return gvariant.NewArray("(ayay)", pairs...) }

type list []gvariant.Value

func dirtree(files, dirs list) []byte {
	return gvariant.NewTuple(gvariant.NewArray("(say)", files...), gvariant.NewArray("(sayay)", dirs...)).Bytes()
}

func dirmeta(mode uint32, pairs ...gvariant.Value) []byte {
	return gvariant.NewTuple(newBig32(1), newBig32(2), newBig32(mode), xattrs(pairs...)).Bytes()
}

// header is a .filez header without its prefix.
func header(size uint64, mode, rdev uint32, target string, pairs ...gvariant.Value) []byte {
	return gvariant.NewTuple(gvariant.NewUint64(bits.ReverseBytes64(size)), newBig32(1), newBig32(2), newBig32(mode),
		newBig32(rdev), str(target), xattrs(pairs...)).Bytes()
}

// commitParts is a commit before it is checked.
type commitParts struct {
	keys           list // of the metadata
	parent         string
	related        gvariant.Value
	subject, body  string
	timestamp      uint64
	root, rootMeta string
}

func (p commitParts) encode() []byte {
	if p.related.Type() == "" {
		p.related = gvariant.NewArray("(say)")
	}
	return gvariant.NewTuple(gvariant.NewArray("{sv}", p.keys...), raw(p.parent), p.related, str(p.subject), str(p.body),
		gvariant.NewUint64(bits.ReverseBytes64(p.timestamp)), raw(p.root), raw(p.rootMeta)).Bytes()
}

func key(name string, value gvariant.Value) gvariant.Value {
	return gvariant.NewEntry(str(name), gvariant.NewVariant(value))
}

// sum1 and sum2 are the bytes of two checksums.
var (
	sum1 = strings.Repeat("\x11", 32)
	sum2 = strings.Repeat("\x22", 32)
	zero = strings.Repeat("\x00", 32)
)
