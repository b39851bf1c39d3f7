package checkout

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// maxDepth bounds the nesting of directories; a commit can be made deeper.
const maxDepth = 4096

// dir is a directory that is being filled.
type dir struct {
	parent *dir // nil for the destination itself
	depth  int
	fd     int
	made   bool   // it was not there before
	path   string // "/usr/bin/"; only kept when some are skipped
	tree   object.DirTree
	meta   object.DirMeta

	files, dirs int  // so many of either are taken
	filling     int  // batches of files that are being made
	left        int  // jobs that are not done, with all that is below a subdirectory
	finished    bool // or about to be
}

// load reads a directory.
func (r *run) load(tree, meta object.Checksum) (d *dir, err error) {
	d = &dir{fd: -1}
	if d.tree, err = r.repo.DirTree(tree); err != nil {
		return nil, err
	}
	d.meta, err = r.metas.load(r.repo, meta)
	return d, err
}

// enter begins with a subdirectory; nil when it is skipped.
func (r *run) enter(parent *dir, i int) (*dir, error) {
	nameBytes, tree, meta := parent.tree.Dir(i)
	name := string(nameBytes)
	if parent.depth+1 == maxDepth {
		return nil, fmt.Errorf("%q: more than %d directories deep", name, maxDepth)
	}
	d, err := r.load(tree, meta)
	if err != nil {
		return nil, err
	}
	d.parent, d.depth = parent, parent.depth+1
	if r.Skip != nil {
		if d.path = parent.path + name + "/"; r.Skip(d.path) {
			return nil, nil
		}
	}
	if r.isOpaque(d) {
		if err := objstore.RemoveAll(parent.fd, name); err != nil {
			return nil, err
		}
	}
	return d, r.makeDir(parent.fd, name, d)
}

// makeDir makes and opens a directory, or opens the one that is there.
func (r *run) makeDir(at int, name string, d *dir) error {
	err := unix.Mkdirat(at, name, 0o700)
	if err != nil && (err != unix.EEXIST || r.Overwrite == Refuse) {
		return failed("mkdirat", err)
	}
	d.made = err == nil
	d.fd, err = unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == nil {
		return r.begin(d)
	}
	var st unix.Stat_t
	if unix.Fstatat(at, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
		return linkError{failed("opendir("+name+")", unix.ENOTDIR)}
	}
	return failed("opendir("+name+")", err)
}

// begin gives a new directory its xattrs, before what is in it: as with ostree, a default ACL counts for
// what is copied.
func (r *run) begin(d *dir) error {
	if !d.made || r.User {
		return nil
	}
	return setXattrs(d.fd, d.meta.Xattrs)
}

// finish gives a directory that was made what would have been in the way before, and its time.
func (r *run) finish(d *dir) error {
	r.stats.Entries.Add(1)
	if !d.made {
		return nil
	}
	mode := d.meta.Mode &^ object.ModeType
	if r.PlainDirs {
		mode &= 0o775
	}
	if err := unix.Fchmod(d.fd, mode); err != nil {
		return failed("fchmod", err)
	}
	if !r.User {
		if err := unix.Fchown(d.fd, int(d.meta.UID), int(d.meta.GID)); err != nil {
			return failed("fchown", err)
		}
	}
	if r.Links == LinkNothing {
		return nil
	}
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {}}
	if err := unix.UtimesNanoAt(d.fd, "", times, unix.AT_EMPTY_PATH); err != nil {
		return failed("futimens", err)
	}
	return nil
}

func (r *run) skips(path string) bool { return r.Skip != nil && r.Skip(path) }

const (
	maxMetas   = 256  // dirmetas that are remembered
	maxMetaLen = 4096 // bytes of xattrs of each
)

// metas are dirmetas that were read: many directories share one.
type metas struct {
	mu   sync.Mutex
	read map[object.Checksum]object.DirMeta
}

func (m *metas) load(repo *objstore.Repo, sum object.Checksum) (object.DirMeta, error) {
	m.mu.Lock()
	meta, ok := m.read[sum]
	m.mu.Unlock()
	if ok {
		return meta, nil
	}
	meta, err := repo.DirMeta(sum)
	size := 0
	for _, x := range meta.Xattrs {
		size += len(x.Name) + len(x.Value)
	}
	if err != nil || size > maxMetaLen {
		return meta, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.read == nil || len(m.read) == maxMetas {
		m.read = map[object.Checksum]object.DirMeta{}
	}
	m.read[sum] = meta
	return meta, nil
}
