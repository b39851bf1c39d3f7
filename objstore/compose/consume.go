package compose

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// given is a directory that is deleted when the commit is there.
type given struct {
	name string
	taken
}

// taken are the names of a directory that were looked at. The methods of nil do
// nothing: nothing is to be deleted.
type taken struct {
	self    inode
	files   []takenFile
	skipped []string // with all that is below them
	dirs    []given
	adopts  bool // files here or below are to become objects
}

// takenFile is a file that was committed, as it was then.
type takenFile struct {
	name    string
	seen    stamp
	content object.Checksum
	adopt   *object.Header // of one that is to become its object, or nil
}

func (t *taken) file(name string, r *taking) {
	if t != nil {
		t.files = append(t.files, takenFile{name, r.seen, r.content, r.adopt})
		t.adopts = t.adopts || r.adopt != nil
	}
}

func (t *taken) skip(name string) {
	if t != nil {
		t.skipped = append(t.skipped, name)
	}
}

func (t *taken) sub(name string, below *taken) {
	if t != nil {
		t.dirs = append(t.dirs, given{name, *below})
		t.adopts = t.adopts || below.adopts
	}
}

// consume deletes what was given away, and nothing that has come or changed since. The
// working directory itself stays.
func (b *builder) consume() error {
	var r remover
	for _, g := range b.given {
		if err := r.remove(unix.AT_FDCWD, &g, g.name, g.name != "."); err != nil {
			return fmt.Errorf("the commit is made; deleting %s: %w", g.name, err)
		}
	}
	if r.left > 0 {
		return fmt.Errorf("the commit is made; %d files stay that have changed since they were read, such as %s", r.left, r.example)
	}
	return nil
}

// remover deletes what is as it was.
type remover struct {
	left    int // that is not
	example string
}

func (r *remover) leave(path string) {
	if r.left++; r.left == 1 {
		r.example = path
	}
}

func (r *remover) remove(at int, g *given, path string, itself bool) error {
	dir, err := openDir(at, g.name)
	if err != nil {
		return err
	}
	defer dir.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(dir.Fd()), &st); err != nil {
		return failure("fstat", path, err)
	}
	if (inode{st.Dev, st.Ino}) != g.self {
		r.leave(path)
		return nil
	}
	before := r.left
	if err := r.removeEntries(dir, &g.taken, path); err != nil {
		return err
	}
	if !itself || r.left > before {
		return nil
	}
	if err := unix.Unlinkat(at, g.name, unix.AT_REMOVEDIR); err != nil {
		return failure("unlinkat", g.name, err)
	}
	return nil
}

func (r *remover) removeEntries(dir *os.File, t *taken, path string) error {
	for i := range t.files {
		if err := r.removeFile(dir, &t.files[i], path); err != nil {
			return err
		}
	}
	for _, name := range t.skipped {
		if err := objstore.RemoveAll(int(dir.Fd()), name); err != nil {
			return err
		}
	}
	for i := range t.dirs {
		if err := r.remove(int(dir.Fd()), &t.dirs[i], below(path, t.dirs[i].name), true); err != nil {
			return err
		}
	}
	return nil
}

func (r *remover) removeFile(dir *os.File, f *takenFile, path string) error {
	var st unix.Stat_t
	err := unix.Fstatat(int(dir.Fd()), f.name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return failure("fstatat", f.name, err)
	}
	if !f.seen.is(&st) {
		r.leave(below(path, f.name))
		return nil
	}
	if err := unix.Unlinkat(int(dir.Fd()), f.name, 0); err != nil {
		return failure("unlinkat", f.name, err)
	}
	return nil
}
