package delta

import (
	"fmt"
	"io"

	"deployfs/objstore"
	"deployfs/objstore/delta/unxz"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// payloadType is that of a part: owners and modes, xattrs, data, operations.
const payloadType = "(a(uuu)aa(ayay)ayay)"

// What the first byte of a part says of the rest: nothing is done to it, or it is compressed with xz.
const (
	packedNot = 0
	PackedXZ  = 'x'
)

// payload is an opened part.
type payload struct {
	modes, xattrs gvariant.Value
	blob, ops     []byte
	bulk          *bulk // nil when the part is not compressed
}

// openPayload opens the file of a part. The payload keeps the data, and is to be closed.
func openPayload(repo *objstore.Repo, data []byte) (p *payload, err error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("Reading initial compression flag byte: %w", io.ErrUnexpectedEOF)
	}
	p = &payload{}
	kind, plain := data[0], data[1:]
	switch kind {
	case packedNot:
	case PackedXZ:
		if p.bulk, err = unpack(repo, plain); err != nil {
			return nil, err
		}
		plain = p.bulk.data
	default:
		return nil, fmt.Errorf("Invalid compression type '%d'", kind)
	}
	v, err := gvariant.Parse(payloadType, plain)
	if err != nil {
		p.close()
		return nil, err
	}
	p.modes, p.xattrs = v.At(0), v.At(1)
	p.blob, p.ops = v.At(2).ByteString(), v.At(3).ByteString()
	return p, nil
}

func unpack(repo *objstore.Repo, data []byte) (*bulk, error) {
	r, err := unxz.NewReader(data)
	if err != nil {
		return nil, err
	}
	return gather(repo, r)
}

func (p *payload) close() {
	if p.bulk != nil {
		p.bulk.close()
	}
}

// slice is a piece of the data.
func (p *payload) slice(offset, length uint64) ([]byte, error) {
	size := uint64(len(p.blob))
	if offset > size || length > size-offset {
		return nil, fmt.Errorf("Invalid offset/length %d/%d", offset, length)
	}
	return p.blob[offset:][:length:length], nil
}

// header is what an object has beside its content, by places in the tables.
func (p *payload) header(mode, xattrs uint64) (h object.Header, err error) {
	if mode >= uint64(p.modes.Len()) {
		return h, fmt.Errorf("mode %d of a table of %d", mode, p.modes.Len())
	}
	if xattrs >= uint64(p.xattrs.Len()) {
		return h, fmt.Errorf("xattrs %d of a table of %d", xattrs, p.xattrs.Len())
	}
	v := p.modes.At(int(mode))
	h = object.Header{UID: big32(v.At(0)), GID: big32(v.At(1)), Mode: big32(v.At(2))}
	h.Xattrs, err = object.DecodeXattrs(p.xattrs.At(int(xattrs)).Bytes())
	return h, err
}
