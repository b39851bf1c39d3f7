package object

import (
	"bytes"
	"fmt"

	"deployfs/objstore/gvariant"
)

const (
	xattrsType   = "a(ayay)"
	maxXattrName = 255     // bytes, Linux's XATTR_NAME_MAX
	maxXattr     = 1 << 16 // bytes, Linux's XATTR_SIZE_MAX
	maxXattrList = 1 << 16 // bytes of names, each with its NUL, Linux's XATTR_LIST_MAX
)

// Xattr is one extended attribute.
type Xattr struct {
	Name  string // with its namespace, such as "security.selinux"
	Value []byte
}

// CheckXattr fails unless an extended attribute can be called name, without a NUL
// behind it, and have a value of size bytes.
func CheckXattr(name []byte, size int) error {
	if len(name) == 0 || len(name) > maxXattrName || bytes.IndexByte(name, 0) >= 0 {
		return errXattrName(name)
	}
	if size > maxXattr {
		return fmt.Errorf("xattr %q of %d bytes, at most %d are allowed", name, size, maxXattr)
	}
	return nil
}

func errXattrName(name []byte) error {
	return fmt.Errorf("invalid xattr name %q", shorten(string(name)))
}

// decodeXattrs reads an a(ayay) of names, each with a NUL behind it, and values.
func decodeXattrs(v gvariant.Value) ([]Xattr, error) {
	if v.Len() == 0 {
		return nil, nil
	}
	var list []Xattr
	var last []byte
	names := 0
	for i := range v.Len() {
		name, value := v.At(i).At(0).ByteString(), v.At(i).At(1).ByteString()
		end := len(name) - 1
		if end < 0 || name[end] != 0 {
			return nil, errXattrName(name)
		}
		if err := CheckXattr(name[:end], len(value)); err != nil {
			return nil, err
		}
		names += len(name)
		switch {
		case bytes.Compare(last, name) >= 0:
			return nil, fmt.Errorf("Incorrectly sorted xattr name (prev=%q, cur=%q)", last, name)
		case names > maxXattrList:
			return nil, fmt.Errorf("more xattrs than the %d bytes of names that can be listed", maxXattrList)
		}
		last = name
		list = append(list, Xattr{string(name[:end]), value})
	}
	return list, nil
}

// DecodeXattrs reads a file-xattrs object.
func DecodeXattrs(data []byte) ([]Xattr, error) {
	v, err := gvariant.Parse(xattrsType, data)
	if err != nil {
		return nil, err
	}
	return decodeXattrs(v)
}

// encodeXattrs is the opposite of decodeXattrs; list must be sorted by name.
func encodeXattrs(list []Xattr) gvariant.Value {
	pairs := make([]gvariant.Value, len(list))
	for i, x := range list {
		pairs[i] = gvariant.NewTuple(gvariant.NewBytes(append([]byte(x.Name), 0)), gvariant.NewBytes(x.Value))
	}
	return gvariant.NewArray("(ayay)", pairs...)
}
