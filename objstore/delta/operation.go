package delta

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// The operations. Their arguments are varints; offsets are those of the data, or, for OpWrite
// while a source is set, of that.
const (
	OpSplice      = 'S' // a whole object: size, offset; before these for a file the places of owner and xattrs
	OpOpen        = 'o' // a regular file begins: places of owner and xattrs, size
	OpWrite       = 'w' // more of it: size, offset
	OpSetSource   = 'r' // content to copy from: offset of its checksum
	OpUnsetSource = 'R'
	OpClose       = 'c' // the file ends
	OpPatch       = 'B' // the file is the source, patched: offset, size
)

// operation is one with its arguments, in the order in which they stand.
type operation struct {
	code byte
	args [4]uint64
}

// scanner reads operations.
type scanner struct {
	rest []byte
	read int // operations
}

var errVarint = errors.New("Unexpected EOF reading varint")

// next reads an operation. Meta says whether the next object is metadata: then OpSplice has
// fewer arguments. It must not be called at the end.
func (s *scanner) next(meta bool) (op operation, err error) {
	op.code = s.rest[0]
	s.rest = s.rest[1:]
	count, ok := arguments[op.code]
	if !ok {
		return op, fmt.Errorf("Unknown opcode %d at offset %d", op.code, s.read)
	}
	if op.code == OpSplice && meta {
		count = 2
	}
	for i := range count {
		n, size := binary.Uvarint(s.rest)
		if size <= 0 {
			return op, op.failed(errVarint)
		}
		op.args[i], s.rest = n, s.rest[size:]
	}
	s.read++
	return op, nil
}

// arguments is how many each operation has.
var arguments = map[byte]int{
	OpSplice: 4, OpOpen: 3, OpWrite: 2, OpSetSource: 1, OpUnsetSource: 0, OpClose: 0, OpPatch: 2,
}

// names are those in ostree's messages.
var names = map[byte]string{
	OpSplice: "open-splice-and-close", OpOpen: "open", OpWrite: "write",
	OpSetSource: "set-read-source", OpUnsetSource: "unset-read-source", OpClose: "close", OpPatch: "bspatch",
}

// failed says which operation an error is of.
func (op operation) failed(err error) error {
	return fmt.Errorf("opcode %s: %w", names[op.code], words(err))
}

// worded is an error in ostree's words.
type worded struct {
	text string
	err  error
}

func (w *worded) Error() string { return w.text }
func (w *worded) Unwrap() error { return w.err }

// words has ostree's words say that an object is another than its name says, and
// nothing else.
func words(err error) error {
	damage, done := (*object.CorruptError)(nil), (*worded)(nil)
	if errors.As(err, &done) || !errors.As(err, &damage) || damage.Err != nil {
		return err
	}
	return &worded{fmt.Sprintf("Corrupted %s object; checksum expected='%s' actual='%s'", damage.Object.Kind, damage.Expected, damage.Found), err}
}

// big32 is a u that is stored in big endian.
func big32(v gvariant.Value) uint32 { return bits.ReverseBytes32(v.Uint32()) }
