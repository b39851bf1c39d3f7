package fs

import (
	"errors"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore/fault"
)

// errCut is why an index that can't be read is dropped.
var errCut = errors.New("its file was cut, or its disk fails")

// safely gives an answer that may read the index. Where that can't be read any
// more it is dropped, and the answer is given again, from objects.
func (f *FS) safely(answer func() gofuse.Status) (status gofuse.Status) {
	if fault.Catch(func() { status = answer() }) {
		f.told.Store(nil)
		f.dropIndex(errCut)
		status = answer()
	}
	return status
}
