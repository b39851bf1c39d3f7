package object

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"deployfs/objstore/gvariant"
)

const (
	headerType      = "(uuuusa(ayay))"  // uid, gid, mode, rdev, symlink target, xattrs
	filezHeaderType = "(tuuuusa(ayay))" // content size, then the same

	// maxTarget is the longest symlink target that Linux can read, in bytes.
	maxTarget = 4095
	// HeaderPrefix is the number of bytes before a header's GVariant: its
	// size, big endian, and four zero bytes.
	HeaderPrefix = 8
	// MaxHeader bounds the GVariant in a header, a dirmeta and a list of xattrs,
	// in bytes. What a file has beside its content is held as long as it is open.
	MaxHeader = 1 << 20
)

// Header is what a content object has beside its content.
type Header struct {
	UID, GID uint32
	Mode     uint32 // with the type bits: a regular file or a symlink
	Size     uint64 // bytes of content, 0 for a symlink
	Target   string // of a symlink
	Xattrs   []Xattr
}

// IsSymlink reports whether the object is a symbolic link.
func (h *Header) IsSymlink() bool { return h.Mode&ModeType == ModeSymlink }

// Check fails unless h can describe a file.
func (h *Header) Check() error {
	switch {
	case h.Mode&^(ModeType|modeBits) != 0,
		h.Mode&ModeType != ModeRegular && h.Mode&ModeType != ModeSymlink:
		return fmt.Errorf("invalid mode %d", h.Mode)
	case h.Size > math.MaxInt64:
		return fmt.Errorf("invalid size %d", h.Size)
	case !h.IsSymlink() && h.Target != "":
		return errors.New("regular file with a symlink target")
	case h.IsSymlink():
		return CheckTarget([]byte(h.Target))
	}
	return nil
}

// CheckTarget fails unless a symbolic link can point there.
func CheckTarget(target []byte) error {
	if len(target) == 0 || len(target) > maxTarget || bytes.IndexByte(target, 0) >= 0 {
		return fmt.Errorf("invalid symlink target of %d bytes", len(target))
	}
	return nil
}

// Hashed is what is hashed before the content to give the object's checksum.
func (h *Header) Hashed() []byte {
	return prefixed(gvariant.NewTuple(h.fields()...))
}

func (h *Header) fields() []gvariant.Value {
	return []gvariant.Value{
		newBig32(h.UID), newBig32(h.GID), newBig32(h.Mode), newBig32(0),
		gvariant.NewString(h.Target), encodeXattrs(h.Xattrs),
	}
}

// EncodeFilez is what stands before the deflated content in an archive repository.
func (h *Header) EncodeFilez() []byte {
	size := gvariant.NewUint64(bits.ReverseBytes64(h.Size))
	return prefixed(gvariant.NewTuple(append([]gvariant.Value{size}, h.fields()...)...))
}

func prefixed(v gvariant.Value) []byte {
	data := binary.BigEndian.AppendUint32(nil, uint32(len(v.Bytes())))
	return append(append(data, 0, 0, 0, 0), v.Bytes()...)
}

// FilezHeaderSize reads a header's prefix: the number of bytes that follow it.
// fileSize is the object file's size in bytes.
func FilezHeaderSize(prefix [HeaderPrefix]byte, fileSize int64) (int, error) {
	n := binary.BigEndian.Uint32(prefix[:])
	switch {
	case n == 0:
		return 0, errors.New("File header size is zero")
	case int64(n) > fileSize-HeaderPrefix:
		return 0, fmt.Errorf("File header size %d exceeds size %d", n, fileSize)
	case n > MaxHeader:
		return 0, fmt.Errorf("file header of %d bytes, at most %d are allowed", n, MaxHeader)
	case binary.BigEndian.Uint32(prefix[4:]) != 0:
		return 0, errors.New("file header padding is not zero")
	}
	return int(n), nil
}

// DecodeFilezHeader reads the GVariant of an archive content object's header.
func DecodeFilezHeader(data []byte) (h Header, err error) {
	v, err := gvariant.Parse(filezHeaderType, data)
	if err != nil {
		return h, err
	}
	if rdev := big32(v.At(4)); rdev != 0 {
		return h, fmt.Errorf("invalid rdev %d", rdev)
	}
	h = Header{
		Size: bits.ReverseBytes64(v.At(0).Uint64()),
		UID:  big32(v.At(1)), GID: big32(v.At(2)), Mode: big32(v.At(3)),
		Target: v.At(5).Str(),
	}
	if h.Xattrs, err = decodeXattrs(v.At(6)); err != nil {
		return h, err
	}
	if h.IsSymlink() && h.Size != 0 {
		return h, fmt.Errorf("symlink of size %d", h.Size)
	}
	return h, h.Check()
}

// DecodeUserMeta reads the user.ostreemeta xattr of a bare-user content object:
// owner, mode and xattrs; size and target stand in the object file.
func DecodeUserMeta(data []byte) (Header, error) {
	m, err := decodeMeta(data)
	return Header{UID: m.UID, GID: m.GID, Mode: m.Mode, Xattrs: m.Xattrs}, err
}
