package tarball

import (
	"bufio"
	"context"
	"io"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// ExportOptions are what an export can be told.
type ExportOptions struct {
	Prefix   string // stands before each name as it is: with a slash, where one is meant
	Time     uint64 // seconds since 1970 that all members have
	NoXattrs bool
	// Records fills the archive up to whole records of 10 KiB, as is usual where it
	// does not become a file.
	Records bool
}

// Export writes a directory of a repository, with all that is below it, as a tar
// archive. Content is checked while it is written: when that fails, the archive has
// no end.
func Export(ctx context.Context, w io.Writer, repo *objstore.Repo, dir tree.Entry, o ExportOptions) error {
	out := bufio.NewWriterSize(w, bufferSize)
	x := &exporter{ctx: ctx, repo: repo, options: o, root: strings.TrimSuffix(dir.Path, "/"), out: tarWriter{w: out}}
	err := x.add(dir)
	if err == nil {
		err = tree.Walk(repo, dir, x.add)
	}
	if err = x.steps.finish(err); err != nil {
		return err
	}
	if err := x.out.end(o.Records); err != nil {
		return err
	}
	return out.Flush()
}

type exporter struct {
	ctx     context.Context
	repo    *objstore.Repo
	options ExportOptions
	root    string // path of the directory
	out     tarWriter
	steps   ordered
}

// add starts to read an entry, which is written in its turn.
func (x *exporter) add(e tree.Entry) error {
	if err := x.ctx.Err(); err != nil {
		return err
	}
	h := &tarHeader{name: x.name(e), mtime: x.options.Time}
	if e.IsDir() {
		return x.steps.add(func() func() error { return x.directory(h, e.Meta) })
	}
	return x.steps.add(func() func() error { return x.file(h, e.Content) })
}

// name is the entry's name in the archive.
func (x *exporter) name(e tree.Entry) string {
	name := x.options.Prefix + strings.TrimPrefix(strings.TrimPrefix(e.Path, x.root), "/")
	if name == "" {
		name = "."
	}
	if e.IsDir() && !strings.HasSuffix(name, "/") {
		name += "/"
	}
	return name
}

func failed(err error) func() error { return func() error { return err } }

func (x *exporter) directory(h *tarHeader, meta object.Checksum) func() error {
	m, err := x.repo.DirMeta(meta)
	if err != nil {
		return failed(err)
	}
	h.kind = '5'
	return func() error { return x.header(h, m.UID, m.GID, m.Mode, m.Xattrs) }
}

func (x *exporter) header(h *tarHeader, uid, gid, mode uint32, xattrs []object.Xattr) error {
	h.uid, h.gid, h.mode = uid, gid, mode&0o7777
	if x.options.NoXattrs {
		xattrs = nil
	}
	return x.out.header(h, xattrs)
}

// file opens a file, and reads it where it is small.
func (x *exporter) file(h *tarHeader, sum object.Checksum) func() error {
	c, err := x.repo.Content(sum)
	if err != nil {
		return failed(err)
	}
	if h.kind, h.size = '0', c.Header.Size; c.Header.IsSymlink() {
		h.kind, h.link = '2', c.Header.Target
	}
	defer c.Close()
	if c.Header.Size > small {
		return func() error { return x.stream(h, sum) }
	}
	block := blocks.Get().(*[small]byte)
	data := block[:c.Header.Size]
	if _, err = io.ReadFull(c, data); err == nil {
		err = c.Verify()
	}
	return func() error {
		defer blocks.Put(block)
		if err != nil {
			return err
		}
		if err := x.header(h, c.Header.UID, c.Header.GID, c.Header.Mode, c.Header.Xattrs); err != nil {
			return err
		}
		x.out.write(data)
		x.out.pad(blockSize)
		return x.out.err
	}
}

// stream writes a large file.
func (x *exporter) stream(h *tarHeader, sum object.Checksum) error {
	c, err := x.repo.Content(sum)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := x.header(h, c.Header.UID, c.Header.GID, c.Header.Mode, c.Header.Xattrs); err != nil {
		return err
	}
	block := blocks.Get().(*[small]byte)
	defer blocks.Put(block)
	for {
		n, err := c.Read(block[:])
		x.out.write(block[:n])
		if err == io.EOF {
			x.out.pad(blockSize)
			return x.out.err
		}
		if err == nil {
			err = x.out.err
		}
		if err == nil {
			err = x.ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}
