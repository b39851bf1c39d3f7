package fs

import (
	"deployfs/objstore"
	"deployfs/objstore/object"
)

// stat returns what stat(2) shows of a content object. An empty file is checked
// now: the kernel will not read it, and content that was cut looks like one.
func (f *FS) stat(sum object.Checksum) (object.Header, error) {
	h, err := f.src.Stat(sum)
	if err == nil && !h.IsSymlink() && h.Size == 0 && f.opts.Verify != VerifyNone {
		return f.header(sum)
	}
	return h, err
}

// header returns a content object's whole header, which is checked when it is
// all that the object has.
func (f *FS) header(sum object.Checksum) (object.Header, error) {
	h, err := f.src.Header(sum)
	if err == nil && h.Size == 0 && f.opts.Verify != VerifyNone {
		err = objstore.CheckEmpty(sum, h)
	}
	return h, err
}
