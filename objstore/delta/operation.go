package delta

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// The operations.
const (
	opSplice      = 'S' // a whole object
	opOpen        = 'o' // a regular file begins
	opWrite       = 'w' // more of it
	opSetSource   = 'r' // content to copy from
	opUnsetSource = 'R'
	opClose       = 'c' // the file ends
	opPatch       = 'B' // the file is the source, patched
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

// next reads an operation. Meta says whether the next object is metadata: then opSplice has
// fewer arguments. It must not be called at the end.
func (s *scanner) next(meta bool) (op operation, err error) {
	op.code = s.rest[0]
	s.rest = s.rest[1:]
	count, ok := arguments[op.code]
	if !ok {
		return op, fmt.Errorf("Unknown opcode %d at offset %d", op.code, s.read)
	}
	if op.code == opSplice && meta {
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
	opSplice: 4, opOpen: 3, opWrite: 2, opSetSource: 1, opUnsetSource: 0, opClose: 0, opPatch: 2,
}

// names are those in ostree's messages.
var names = map[byte]string{
	opSplice: "open-splice-and-close", opOpen: "open", opWrite: "write",
	opSetSource: "set-read-source", opUnsetSource: "unset-read-source", opClose: "close", opPatch: "bspatch",
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
	damage := (*object.CorruptError)(nil)
	if !errors.As(err, &damage) || damage.Err != nil {
		return err
	}
	return &worded{fmt.Sprintf("Corrupted %s object; checksum expected='%s' actual='%s'", damage.Object.Kind, damage.Expected, damage.Found), err}
}

// big32 is a u that is stored in big endian.
func big32(v gvariant.Value) uint32 { return bits.ReverseBytes32(v.Uint32()) }
