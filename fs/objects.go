package fs

import (
	"errors"
	"sync"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// entryCost is about what a decoded object takes beside its bytes.
const entryCost = 200

// objectDir is a directory as its dirtree tells it. What its entries are beside
// their names is read from their objects each time.
type objectDir struct {
	f    *FS
	tree object.DirTree
}

// objects returns the directory at r from its objects.
func (f *FS) objects(r row) (dir, error) {
	at, err := f.place(r)
	if err != nil {
		return nil, err
	}
	t, err := f.tree(at.tree)
	if err != nil {
		return nil, err
	}
	return objectDir{f, t}, nil
}

func (d objectDir) size() (files, subdirs int) { return d.tree.NumFiles(), d.tree.NumDirs() }

func (d objectDir) name(pos int) []byte {
	files := d.tree.NumFiles()
	if pos < files {
		name, _ := d.tree.File(pos)
		return name
	}
	name, _, _ := d.tree.Dir(pos - files)
	return name
}

func (d objectDir) find(name []byte) (pos int, ok bool) {
	if i, ok := d.tree.FindFile(name); ok {
		return i, true
	}
	i, ok := d.tree.FindDir(name)
	return d.tree.NumFiles() + i, ok
}

func (d objectDir) attr(pos int, out *gofuse.Attr) error {
	if files := d.tree.NumFiles(); pos >= files {
		_, tree, meta := d.tree.Dir(pos - files)
		return d.f.dirAttr(tree, meta, out)
	}
	h, err := d.f.stat(d.content(pos))
	if err != nil {
		return err
	}
	out.Mode, out.Uid, out.Gid, out.Nlink = h.Mode, h.UID, h.GID, 1
	if h.IsSymlink() {
		out.Size = uint64(len(h.Target))
	} else {
		fileSize(out, h.Size)
	}
	return nil
}

// fileSize writes what a regular file takes.
func fileSize(out *gofuse.Attr, size uint64) {
	out.Size, out.Blocks = size, (size+blockSize-1)/blockSize*(blockSize/512)
}

// dirAttr writes a directory's attributes. It has a link for each subdirectory,
// which is why its dirtree is read; that it is bad shows when it is listed.
func (f *FS) dirAttr(tree, meta object.Checksum, out *gofuse.Attr) error {
	m, err := f.meta(meta)
	if err != nil {
		return err
	}
	subdirs := 0
	t, err := f.tree(tree)
	if err == nil {
		subdirs = t.NumDirs()
	} else if !lasting(err) {
		return err // or the kernel would keep a wrong count
	}
	f.dirLooks(out, m.Mode, m.UID, m.GID, subdirs)
	return nil
}

// dirLooks writes a directory's attributes.
func (f *FS) dirLooks(out *gofuse.Attr, mode, uid, gid uint32, subdirs int) {
	out.Mode, out.Uid, out.Gid = mode&(object.ModeType|f.opts.DirMode), uid, gid
	out.Size, out.Blocks, out.Nlink = blockSize, blockSize/512, uint32(2+subdirs)
}

func (d objectDir) content(pos int) object.Checksum {
	_, sum := d.tree.File(pos)
	return sum
}

func (d objectDir) target(pos int) ([]byte, error) {
	if pos >= d.tree.NumFiles() {
		return nil, errIsDir
	}
	h, err := d.f.header(d.content(pos))
	if err == nil && !h.IsSymlink() {
		err = errNoLink
	}
	return []byte(h.Target), err
}

func (d objectDir) xattrs(pos int) ([]object.Xattr, error) {
	if files := d.tree.NumFiles(); pos >= files {
		_, _, meta := d.tree.Dir(pos - files)
		m, err := d.f.meta(meta)
		return m.Xattrs, err
	}
	h, err := d.f.header(d.content(pos))
	return h.Xattrs, err
}

// tree returns a dirtree.
func (f *FS) tree(sum object.Checksum) (object.DirTree, error) {
	return f.trees.Get(sum, f.loadTree)
}

// largeTree is from how many bytes on dirtrees are read one at a time: each may
// be as large as [objstore.MaxMetadata], whether it is sound or not.
const largeTree = 1 << 20

var largeTrees sync.Mutex // memory is the process's

func (f *FS) loadTree(sum object.Checksum) (t object.DirTree, cost int64, err error) {
	var large *objstore.SizeError
	if t, cost, err = f.readTree(sum, largeTree); errors.As(err, &large) {
		largeTrees.Lock()
		defer largeTrees.Unlock()
		t, cost, err = f.readTree(sum, objstore.MaxMetadata)
	}
	return t, cost, err
}

func (f *FS) readTree(sum object.Checksum, limit int64) (t object.DirTree, cost int64, err error) {
	name := object.Name{Checksum: sum, Kind: object.KindDirTree}
	data, err := f.metadata(name, limit)
	if err != nil {
		return t, 0, err
	}
	if t, err = object.DecodeDirTree(data); err != nil {
		return t, 0, object.Corrupt(name, err)
	}
	return t, int64(len(data)) + entryCost, nil
}

// meta returns a dirmeta.
func (f *FS) meta(sum object.Checksum) (object.DirMeta, error) {
	return f.metas.Get(sum, f.loadMeta)
}

func (f *FS) loadMeta(sum object.Checksum) (m object.DirMeta, cost int64, err error) {
	name := object.Name{Checksum: sum, Kind: object.KindDirMeta}
	data, err := f.metadata(name, objstore.MaxMetadata)
	if err != nil {
		return m, 0, err
	}
	if m, err = object.DecodeDirMeta(data); err != nil {
		return m, 0, object.Corrupt(name, err)
	}
	return m, int64(len(data)) + entryCost, nil
}

// metadata reads a metadata object of at most limit bytes, checked as the options say.
func (f *FS) metadata(name object.Name, limit int64) ([]byte, error) {
	data, err := f.src.ReadMetadata(name, limit)
	if err == nil && f.opts.Verify != VerifyNone {
		err = objstore.CheckMetadata(name, data)
	}
	return data, err
}
