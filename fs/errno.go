package fs

import (
	"errors"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// maxReported bounds what is reported in the life of an FS.
const maxReported = 10000

// failed gives the kernel's number for err, after reporting it once: what the
// entry called name in the directory at dir could not be shown for. A name that
// has gone is no failure.
func (f *FS) failed(dir row, name string, err error) gofuse.Status {
	if err == errGone {
		return gofuse.Status(unix.ESTALE)
	}
	f.stats.errors.Add(1)
	if outage := outage(nil); !errors.As(err, &outage) {
		f.report(dir, name, err)
	}
	if errors.Is(err, unix.ENOMEM) {
		return gofuse.Status(unix.ENOMEM)
	}
	return gofuse.EIO
}

// outage is an error of a source that does not answer, which tells of itself: it is not
// that of an entry.
type outage interface {
	error
	Outage()
}

// report tells why an entry can't be shown, once. Its path is found first: that
// may read an index which can't be read any more, and is then done again.
func (f *FS) report(dir row, name string, err error) {
	about := subject(err)
	if !f.unreported(about, false) {
		return
	}
	path := f.path(dir)
	if name != "" {
		path = join(path, name)
	}
	if f.unreported(about, true) {
		if damaged := (*object.CorruptError)(nil); errors.As(err, &damaged) {
			f.stats.damaged.Add(1)
		}
		f.opts.Report(path, err)
	}
}

func join(dir, name string) string {
	if dir == "/" {
		return dir + name
	}
	return dir + "/" + name
}

// subject is what an error is about: its object, or else its text.
func subject(err error) string {
	if name := ObjectOf(err); name != "" {
		return name
	}
	return err.Error()
}

// ObjectOf is the object that an error is about, as CHECKSUM.KIND, or "".
func ObjectOf(err error) string {
	var absent *object.NotExistError
	var corrupt *object.CorruptError
	var unreadable *objstore.ReadError
	var told *ToldError
	switch {
	case errors.As(err, &absent):
		return absent.Object.String()
	case errors.As(err, &corrupt):
		return corrupt.Object.String()
	case errors.As(err, &unreadable):
		return unreadable.Object.String()
	case errors.As(err, &told):
		return told.Object.String()
	}
	return ""
}

// unreported reports whether something is to be reported; with now, the caller does.
func (f *FS) unreported(subject string, now bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.reported[subject]; ok || len(f.reported) == maxReported {
		return false
	}
	if now {
		f.reported[subject] = struct{}{}
	}
	return true
}
