package fs

import (
	"errors"
	"runtime/debug"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
)

// errCut is why an index that can't be read is dropped.
var errCut = errors.New("its file was cut, or its disk fails")

// safely gives an answer that may read the index. Where the file behind the
// index was cut, or its disk fails, there is no page to read: then the index is
// dropped, and the answer is given again, from objects.
func (f *FS) safely(answer func() gofuse.Status) (status gofuse.Status) {
	defer func() {
		fault := recover()
		if fault == nil {
			return
		}
		if _, ok := fault.(interface{ Addr() uintptr }); !ok {
			panic(fault)
		}
		f.told.Store(nil)
		f.dropIndex(errCut)
		status = answer()
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	return answer()
}
