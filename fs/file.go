package fs

import (
	"fmt"
	"io"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/fs/backing"
	"deployfs/objstore/object"
)

// Open refuses once, after which the kernel opens files by itself and keeps
// their pages. With VerifyAlways it checks the file's content instead.
func (f *FS) Open(cancel <-chan struct{}, in *gofuse.OpenIn, out *gofuse.OpenOut) gofuse.Status {
	f.stats.requests.Add(1)
	if f.opts.Verify != VerifyAlways {
		return gofuse.ENOSYS
	}
	r := rowOf(in.NodeId)
	sum, err := f.contentOf(r)
	if err != nil {
		return f.failed(r, "", err)
	}
	file, err := f.files.Reopen(sum)
	if err != nil {
		return f.failed(r, "", err)
	}
	f.files.Release(file)
	out.OpenFlags = gofuse.FOPEN_NOFLUSH
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
	r := rowOf(in.NodeId)
	n, err := f.read(r, buf, int64(in.Offset))
	if err != nil {
		return nil, f.failed(r, "", err)
	}
	f.stats.bytes.Add(uint64(n))
	return gofuse.ReadResultData(buf[:n]), gofuse.OK
}

func (f *FS) read(r row, buf []byte, offset int64) (int, error) {
	e, err := f.entry(r)
	if err != nil {
		return 0, err
	}
	sum, err := e.content()
	if err != nil {
		return 0, err
	}
	file, err := f.content(r, sum)
	if err != nil {
		return 0, err
	}
	defer f.files.Release(file)
	if size, ok := e.in.promised(int(e.pos)); ok && int64(size) != file.Size {
		f.dropIndex()
		return 0, object.Corrupt(contentName(sum), fmt.Errorf("it had %d bytes when its directory was indexed, and has %d", size, file.Size))
	}
	n, err := file.ReadAt(buf, offset)
	if err == io.EOF {
		err = checkEnd(sum, offset+int64(n), file.Size)
	}
	return n, err
}

// contentOf is the content object of the file at r.
func (f *FS) contentOf(r row) (sum object.Checksum, err error) {
	e, err := f.entry(r)
	if err != nil {
		return sum, err
	}
	return e.content()
}

// content returns the file's content, verified as the options say.
func (f *FS) content(r row, sum object.Checksum) (*backing.File, error) {
	check := f.opts.Verify == VerifyFirst && !f.nodes.verified(r)
	file, err := f.files.Acquire(sum, check)
	if err == nil && check {
		f.nodes.setVerified(r)
	}
	return file, err
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
