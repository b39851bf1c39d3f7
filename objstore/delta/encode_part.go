package delta

import (
	"encoding/binary"
	"io"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// Payload writes what is in a part before it is compressed: the table of owners and modes and
// that of xattrs (each an a(ayay)), data, and the operations. It keeps what it is given.
func Payload(modes []Owner, xattrs []gvariant.Value, data, ops []byte) (r io.Reader, size int64) {
	var out stretch
	table := make([]byte, 0, OwnerSize*len(modes))
	for _, m := range modes {
		table = binary.BigEndian.AppendUint32(table, m.UID)
		table = binary.BigEndian.AppendUint32(table, m.GID)
		table = binary.BigEndian.AppendUint32(table, m.Mode)
	}
	out.bytes(table)
	first := out.size
	out.bytes(gvariant.NewArray("a(ayay)", xattrs...).Bytes())
	second := out.size
	out.bytes(data)
	third := out.size
	out.bytes(ops)
	out.frame([]int64{third, second, first})
	return io.MultiReader(out.pieces...), out.size
}

// Owner is an entry of a part's table of owners and modes.
type Owner struct{ UID, GID, Mode uint32 }

// OwnerSize is how many bytes one takes.
const OwnerSize = 12

// OwnerOf is what the table has of a file.
func OwnerOf(h object.Header) Owner { return Owner{h.UID, h.GID, h.Mode} }
