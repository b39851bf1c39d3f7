package fs

import (
	"errors"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// maxReported bounds the objects that are remembered as reported.
const maxReported = 10000

// failed gives the kernel's number for err, after reporting it once: what the
// entry called name in the directory at dir could not be shown for.
func (f *FS) failed(dir row, name string, err error) gofuse.Status {
	f.stats.errors.Add(1)
	path := f.path(dir)
	if name != "" {
		path = join(path, name)
	}
	if f.unreported(objectOf(err)) {
		f.opts.Report(path, err)
	}
	if errors.Is(err, unix.ENOMEM) {
		return gofuse.Status(unix.ENOMEM)
	}
	return gofuse.EIO
}

func join(dir, name string) string {
	if dir == "/" {
		return dir + name
	}
	return dir + "/" + name
}

// objectOf is the object that an error is about.
func objectOf(err error) object.Name {
	var absent *object.NotExistError
	var corrupt *object.CorruptError
	var unreadable *objstore.ReadError
	switch {
	case errors.As(err, &absent):
		return absent.Object
	case errors.As(err, &corrupt):
		return corrupt.Object
	case errors.As(err, &unreadable):
		return unreadable.Object
	}
	return object.Name{}
}

// unreported reports whether an object has not been reported before.
func (f *FS) unreported(name object.Name) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.reported[name]; ok {
		return false
	}
	if len(f.reported) < maxReported {
		f.reported[name] = struct{}{}
	}
	return true
}
