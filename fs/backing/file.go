package backing

import (
	"io"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// File is one object's content. It is read until it is released.
type File struct {
	Size   int64         // of the content when it was opened, in bytes
	Header object.Header // of the object when it was opened, verified if the content is

	sum     object.Checksum
	checked bool          // it was verified
	named   bool          // others can reach the file that fd is of
	ctime   unix.Timespec // of that file, before it was verified
	fd      int           // -1 when there is only a stream
	plain   *os.File      // which fd is of, when it is an object's own file
	stream  *stream
	pages   pages

	nameless int64 // bytes in a file without a name, on disk
	memory   int64 // bytes in memory

	// guarded by the shard's lock
	users      int
	dropped    bool  // the Store no longer knows it
	prev, next *File // in the ring of unused files
	released   int64 // when it became unused, in nanoseconds since the Store was made
}

// stamp notes what a file that has a name is like before it is verified.
func (f *File) stamp(st *unix.Stat_t) { f.named, f.ctime = true, st.Ctim }

// changed reports whether the file was changed since it was stamped, as far as
// its filesystem tells.
func (f *File) changed() bool {
	var st unix.Stat_t
	return f.named && (unix.Fstat(f.fd, &st) != nil || st.Ctim != f.ctime)
}

// ReadContent reads content at off as [io.ReaderAt] does: what is short ends
// with io.EOF. It gives nothing beyond Size, and leaves no pages in the page
// cache that were not there before, beside the last few MiB.
func (f *File) ReadContent(p []byte, off int64) (n int, err error) {
	if f.stream != nil {
		return f.stream.readAt(p, off)
	}
	want := min(int64(len(p)), max(f.Size-off, 0))
	n, err = readAt(f.fd, p[:want], off)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	f.pages.served(f.fd, off+int64(n))
	return n, err
}

// Fd is the descriptor of a regular file that holds exactly the content, or -1
// when the content is only to be had by reading. It is valid until the release.
// Who asks for it reads pages that nobody else has, so that they stay.
func (f *File) Fd() int {
	f.pages.keep()
	return f.fd
}

func (f *File) close() {
	if f.stream != nil {
		f.stream.close()
		return
	}
	f.pages.drop(f.fd)
	if f.plain != nil {
		f.plain.Close() // it was only read
	} else {
		unix.Close(f.fd)
	}
	f.fd = -1
}

// readAt is pread(2) that reads on until p is full or the file ends.
func readAt(fd int, p []byte, off int64) (n int, err error) {
	for n < len(p) {
		m, err := unix.Pread(fd, p[n:], off+int64(n))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return n, os.NewSyscallError("pread", err)
		case m == 0:
			return n, io.EOF
		default:
			n += m
		}
	}
	return n, nil
}
