package fs

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// Names are the directories of a mount that shows many commits: above their
// trees there are names that come and go. Its methods are called at the same
// time. A directory is given by its path from the mount's root, which is "",
// without a slash before or behind.
type Names interface {
	// List returns the entries of a directory, in the order in which they are
	// to be shown first. Of one that is no longer there, fs.ErrNotExist.
	List(dir string) ([]Name, error)
	// Find returns an entry, or fs.ErrNotExist.
	Find(dir, name string) (Name, error)
}

// Name is an entry of a directory of names.
type Name struct {
	Name  string
	Kind  NameKind
	Value string // where a link points, less than 64 KiB; what a file contains
}

// NameKind says what a name stands for.
type NameKind uint8

// The kinds.
const (
	NameDir    NameKind = iota + 1 // a directory of names
	NameCommit                     // the tree of the commit whose checksum is the name
	NameLink
	NameFile
)

// mode is the type that a name has.
func (k NameKind) mode() uint32 {
	switch k {
	case NameLink:
		return object.ModeSymlink
	case NameFile:
		return object.ModeRegular
	}
	return object.ModeDir
}

// recordOf is what a node with the wordBit stands for.
func (f *FS) recordOf(n node) record { return f.words.get(word(n.pos &^ wordBit)) }

// value is what a word keeps of a name: of a file its size (8 bytes) and a hash
// of its content (16), so that another content is another file.
func (n *Name) value() string {
	if n.Kind != NameFile {
		return n.Value
	}
	sum := sha256.Sum256([]byte(n.Value))
	return string(append(binary.LittleEndian.AppendUint64(nil, uint64(len(n.Value))), sum[:16]...))
}

// node gives a name of a shelf its word. The same name with another value is
// another node: what a node is never changes, so that the kernel may keep it.
func (f *FS) nameNode(at shelf, name *Name) (node, error) {
	value := name.value()
	w, err := f.words.put(record{at.row, name.Kind, name.Name, value})
	if err != nil {
		return node{}, err
	}
	return node{at.row, uint32(w) | wordBit, nameIno(at.ino, name.Name, value)}, nil
}

// nameIno is the inode number of a name: where it has a value, of both.
func nameIno(dir uint64, name, value string) uint64 {
	ino := inodeOf(dir, []byte(name))
	if value == "" {
		return ino
	}
	sum := sha256.Sum256([]byte(value))
	return inodeOf(ino, sum[:])
}

// named is one entry of a shelf, which it is at any position.
type named struct {
	f    *FS
	rec  record
	root place // of a commit
}

var _ dir = (*named)(nil)

// named returns the entry that a node with the wordBit stands for, or the root.
func (f *FS) named(r row, n node) (*named, error) {
	if r == root {
		return &named{f: f, rec: record{kind: NameDir}}, nil
	}
	e := &named{f: f, rec: f.recordOf(n)}
	var err error
	if e.rec.kind == NameCommit {
		e.root, err = f.commitPlace(r, e.rec.name)
	}
	return e, err
}

// commitPlace is the root directory of a commit.
func (f *FS) commitPlace(r row, checksum string) (place, error) {
	if known := f.recent[r%recentPlaces].Load(); known != nil && known.row == r {
		return *known, nil
	}
	sum, err := object.ParseChecksum(checksum)
	if err != nil {
		return place{}, err
	}
	name := object.Name{Checksum: sum, Kind: object.KindCommit}
	data, err := f.metadata(name, objstore.MaxMetadata)
	if err != nil {
		return place{}, err
	}
	commit, err := object.DecodeCommit(data)
	if err != nil {
		return place{}, object.Corrupt(name, err)
	}
	found := &place{row: r, tree: commit.Root, meta: commit.RootMeta}
	f.recent[r%recentPlaces].Store(found)
	return *found, nil
}

func (e *named) size() (files, subdirs int) {
	if e.rec.kind == NameDir || e.rec.kind == NameCommit {
		return 0, wordBit
	}
	return 2 * wordBit, 0
}

func (e *named) name(int) []byte             { return []byte(e.rec.name) }
func (e *named) find([]byte) (int, bool)     { return 0, false }
func (e *named) content(int) object.Checksum { return object.Checksum{} }

func (e *named) attr(_ int, out *gofuse.Attr) error {
	out.Nlink = 1
	switch e.rec.kind {
	case NameCommit:
		err := e.f.dirAttr(e.root.tree, e.root.meta, out)
		var absent *object.NotExistError
		if !errors.As(err, &absent) {
			return err
		}
		// A commit may be here without its tree: that shows when it is entered.
		e.f.dirLooks(out, object.ModeDir|0o555, e.f.opts.NamesUID, e.f.opts.NamesGID, 0)
		return nil
	case NameDir:
		e.f.dirLooks(out, object.ModeDir|0o555, e.f.opts.NamesUID, e.f.opts.NamesGID, 0)
		return nil
	case NameLink:
		out.Mode, out.Size = object.ModeSymlink|0o777, uint64(len(e.rec.value))
	case NameFile:
		out.Mode = object.ModeRegular | 0o444
		fileSize(out, e.fileSize())
	}
	out.Uid, out.Gid = e.f.opts.NamesUID, e.f.opts.NamesGID
	return nil
}

func (e *named) fileSize() uint64 { return binary.LittleEndian.Uint64([]byte(e.rec.value)) }

func (e *named) target(int) ([]byte, error) {
	if e.rec.kind != NameLink {
		return nil, errNoLink
	}
	return []byte(e.rec.value), nil
}

func (e *named) xattrs(int) ([]object.Xattr, error) {
	if e.rec.kind != NameCommit {
		return nil, nil
	}
	m, err := e.f.meta(e.root.meta)
	return m.Xattrs, err
}
