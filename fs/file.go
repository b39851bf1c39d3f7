package fs

import (
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
	e, err := f.entry(r)
	if err != nil {
		return f.failed(r, "", err)
	}
	file, err := f.files.Reopen(e.content)
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
	file, err := f.content(r, e.content)
	if err != nil {
		return 0, err
	}
	defer f.files.Release(file)
	n, err := file.ReadAt(buf, offset)
	if err == io.EOF {
		err = checkEnd(e.content, offset+int64(n), file.Size)
	}
	return n, err
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
	return object.Corrupt(object.Name{Checksum: sum, Kind: object.KindFile}, io.ErrUnexpectedEOF)
}
