package fs

import (
	"io"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"deployfs/fs/backing"
	"deployfs/objstore/object"
)

// Open refuses once, after which the kernel opens files by itself and keeps
// their pages; unless every open is to be checked, or the kernel is to read
// files by itself.
func (f *FS) Open(cancel <-chan struct{}, in *gofuse.OpenIn, out *gofuse.OpenOut) gofuse.Status {
	f.stats.requests.Add(1)
	return f.safely(func() gofuse.Status { return f.answerOpen(in, out) })
}

func (f *FS) answerOpen(in *gofuse.OpenIn, out *gofuse.OpenOut) gofuse.Status {
	r := rowOf(in.NodeId)
	switch {
	case f.passed != nil:
		err := f.openPassed(in, r, out)
		if err == errTooManyOpens {
			return gofuse.Status(unix.ENFILE)
		}
		if err != nil {
			return f.failed(r, "", err)
		}
		return gofuse.OK
	case f.opts.Verify != VerifyAlways:
		return gofuse.ENOSYS
	}
	out.OpenFlags = gofuse.FOPEN_NOFLUSH
	if f.isName(r) {
		return gofuse.OK
	}
	file, err := f.open(r, true)
	if err != nil {
		return f.failed(r, "", err)
	}
	f.files.Release(file)
	return gofuse.OK
}

// Flush refuses once: closing a file has nothing to write.
func (f *FS) Flush(cancel <-chan struct{}, in *gofuse.FlushIn) gofuse.Status {
	f.stats.requests.Add(1)
	return gofuse.ENOSYS
}

// Read reads from the file that the node id names; there are no handles.
func (f *FS) Read(cancel <-chan struct{}, in *gofuse.ReadIn, buf []byte) (gofuse.ReadResult, gofuse.Status) {
	f.stats.requests.Add(1)
	var n int
	status := f.safely(func() gofuse.Status {
		var err error
		r := rowOf(in.NodeId)
		if n, err = f.read(r, buf, int64(in.Offset)); err != nil {
			return f.failed(r, "", err)
		}
		return gofuse.OK
	})
	if !status.Ok() {
		return nil, status
	}
	f.stats.bytes.Add(uint64(n))
	return gofuse.ReadResultData(buf[:n]), gofuse.OK
}

func (f *FS) read(r row, buf []byte, offset int64) (int, error) {
	e, err := f.entry(r)
	if err != nil {
		return 0, err
	}
	if named, ok := e.in.(*named); ok {
		return f.readName(r, named, buf, offset)
	}
	if offset == 0 {
		if n, err := f.readAhead(r, &e, buf); n > 0 || err != nil {
			return n, err
		}
	}
	file, err := f.content(r, &e, false)
	if err != nil {
		return 0, err
	}
	defer f.files.Release(file)
	n, err := file.ReadContent(buf, offset)
	if err == io.EOF {
		err = checkEnd(e.in.content(int(e.pos)), offset+int64(n), file.Size)
	}
	return n, err
}

// readAhead reads a whole file that was read before it was asked for, and has
// the next ones read.
func (f *FS) readAhead(r row, e *entry, buf []byte) (n int, err error) {
	d, ok := e.in.(*indexDir)
	if !ok {
		return 0, nil
	}
	n, h, ok := f.ahead.take(spot{d.row, e.pos}, buf)
	f.ahead.follow(d, e.pos)
	if !ok {
		return 0, nil
	}
	if err := f.checkTold(r, e, &h, true); err != nil {
		return 0, err
	}
	f.nodes.setVerified(r)
	return n, nil
}

// open returns the content of the file at r.
func (f *FS) open(r row, anew bool) (*backing.File, error) {
	e, err := f.entry(r)
	if err != nil {
		return nil, err
	}
	return f.content(r, &e, anew)
}

// content returns a file's content, verified as the options say, or anew.
func (f *FS) content(r row, e *entry, anew bool) (file *backing.File, err error) {
	sum, err := e.content()
	if err != nil {
		return nil, err
	}
	first := !f.nodes.verified(r)
	if anew {
		file, err = f.files.Reopen(sum)
	} else {
		file, err = f.files.Acquire(sum, f.opts.Verify == VerifyAlways || f.opts.Verify == VerifyFirst && first)
	}
	if err != nil {
		return nil, err
	}
	unused := file
	defer func() { // also when the index can't be read
		if unused != nil {
			f.files.Release(unused)
		}
	}()
	if err := f.checkTold(r, e, &file.Header, first); err != nil {
		return nil, err
	}
	if first {
		f.nodes.setVerified(r)
	}
	unused = nil
	return file, nil
}

// checkEnd fails when a file's content ends before the size that it had when it
// was opened: it was cut, and the kernel would fill up with zeroes.
func checkEnd(sum object.Checksum, end, size int64) error {
	if end >= size {
		return nil
	}
	return object.Corrupt(contentName(sum), io.ErrUnexpectedEOF)
}

func contentName(sum object.Checksum) object.Name {
	return object.Name{Checksum: sum, Kind: object.KindFile}
}
