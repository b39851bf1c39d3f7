package fetch

import (
	"context"
	"io"
	"os"
	"syscall"
)

// disk is the source of file URLs: regular files below a directory, none that a link leads out to.
type disk struct{}

func (disk) open(_ context.Context, b *base, r request) (*reply, error) {
	root, err := os.OpenRoot(b.address.Path)
	if err != nil {
		return nil, b.explain(err, r.path)
	}
	defer root.Close()
	f, err := root.OpenFile(r.path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not block
	if err != nil {
		return nil, b.explain(err, r.path)
	}
	got, err := serve(f, b, r)
	if err != nil {
		f.Close()
		return nil, err
	}
	return got, nil
}

func serve(f *os.File, b *base, r request) (*reply, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, b.explain(err, r.path)
	case !info.Mode().IsRegular():
		return nil, b.explain(&os.PathError{Op: "open", Path: f.Name(), Err: syscall.EINVAL}, r.path)
	case r.limit > 0 && info.Size() > r.limit:
		return nil, &SizeError{URL: b.url(r.path), Limit: r.limit}
	}
	if _, err := f.Seek(r.offset, io.SeekStart); err != nil {
		return nil, b.explain(err, r.path)
	}
	return &reply{body: f, offset: r.offset, size: info.Size(), total: info.Size()}, nil
}
