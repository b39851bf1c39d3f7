package compose

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/mtree"
	"deployfs/objstore/object"
)

// maxDepth is how deep directories may be nested: what is deeper can't be read again.
const maxDepth = 4096

// walk is a way through the directories of a source.
type walk struct {
	*builder
	ctx   context.Context
	fail  context.CancelCauseFunc
	depth int
}

// addDir lays a directory of the file system over the tree.
func (b *builder) addDir(ctx context.Context, fail context.CancelCauseFunc, name string) error {
	dir, err := openDir(unix.AT_FDCWD, name)
	if err != nil {
		return err
	}
	w := &walk{builder: b, ctx: ctx, fail: fail}
	taken, err := w.dir(dir, "/", b.root)
	if taken != nil {
		b.given = append(b.given, given{name, *taken})
	}
	return err
}

// dir lays a directory, which it closes, over that of the tree at path.
func (w *walk) dir(dir *os.File, path string, into *mtree.Tree) (gone *taken, err error) {
	defer dir.Close()
	if err := w.ctx.Err(); err != nil {
		return nil, err
	}
	if w.depth++; w.depth > maxDepth {
		return nil, fmt.Errorf("directories are nested more than %d deep", maxDepth)
	}
	defer func() { w.depth-- }()
	self, skip, err := w.meta(dir, path, into)
	if err != nil || skip {
		return nil, err
	}
	names, err := list(dir)
	if err != nil {
		return nil, err
	}
	if w.Consume {
		gone = &taken{self: self}
	}
	files, dirs := split(names)
	source := &source{builder: w.builder, dir: dir, path: path, adopt: w.Consume && w.tx.CanAdopt(self.dev)}
	results := make([]taking, len(files))
	wait := w.crew.each(len(files), func(i int) { w.take(source, files[i], &results[i]) })
	for i := 0; i < len(dirs) && err == nil; i++ {
		if err = w.subdir(dir, dirs[i], path, into, gone); err != nil {
			w.fail(err)
		}
	}
	wait()
	if err != nil {
		return nil, err
	}
	return gone, w.join(files, results, into, gone)
}

// meta writes a directory's dirmeta.
func (w *walk) meta(dir *os.File, path string, into *mtree.Tree) (self inode, skip bool, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(dir.Fd()), &st); err != nil {
		return self, false, failure("fstat", dir.Name(), err)
	}
	self = inode{st.Dev, st.Ino}
	if w.Consume && self == w.self {
		return self, false, fmt.Errorf("--consume would delete the repository itself, which is at %s of what is committed", path)
	}
	h := object.Header{UID: st.Uid, GID: st.Gid, Mode: st.Mode}
	if w.Modifier.Apply(path, &h) {
		return self, true, nil
	}
	if !w.noXattrs {
		if h.Xattrs, err = objstore.DescriptorXattrs(int(dir.Fd())); err != nil {
			return self, false, fmt.Errorf("%s: %w", dir.Name(), err)
		}
	}
	sum, err := w.dirMeta(&h)
	into.SetMeta(sum)
	return self, false, err
}

// subdir lays a subdirectory over the tree. As in ostree a modifier sees it twice,
// from outside and from inside, and what it adds to its mode the first time is lost.
func (w *walk) subdir(dir *os.File, name, path string, into *mtree.Tree, gone *taken) error {
	path = below(path, name)
	if w.Modifier != nil {
		var st unix.Stat_t
		if err := unix.Fstatat(int(dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return failure("fstatat", name, err)
		}
		if w.Modifier.Apply(path, &object.Header{UID: st.Uid, GID: st.Gid, Mode: st.Mode}) {
			gone.skip(name)
			return nil
		}
	}
	sub, err := into.EnsureDir(name)
	if err != nil {
		return err
	}
	opened, err := openDir(int(dir.Fd()), name)
	if err != nil {
		return err
	}
	inner, err := w.dir(opened, path, sub)
	if err == nil {
		gone.sub(name, inner)
	}
	return err
}

// taking is what became of a file.
type taking struct {
	content object.Checksum
	skip    bool
	seen    stamp
	adopt   *object.Header // of a file that is to become the object, or nil
	err     error
}

// take has a member of the crew take a file.
func (w *walk) take(s *source, name string, result *taking) {
	if result.err = w.ctx.Err(); result.err != nil {
		return
	}
	if result.err = s.file(name, result); result.err != nil {
		w.fail(result.err)
	}
}

// join puts files into their directory.
func (w *walk) join(names []string, results []taking, into *mtree.Tree, gone *taken) error {
	for i, name := range names {
		result := &results[i]
		switch {
		case result.err != nil:
			return result.err
		case result.skip:
			gone.skip(name)
			continue
		}
		if err := into.SetFile(name, result.content); err != nil {
			return err
		}
		gone.file(name, result)
	}
	return nil
}

func split(names []listed) (files, dirs []string) {
	files = make([]string, 0, len(names))
	for _, entry := range names {
		if entry.dir {
			dirs = append(dirs, entry.name)
		} else {
			files = append(files, entry.name)
		}
	}
	return files, dirs
}

// below is the path of a name in the directory at path, which is absolute.
func below(path, name string) string {
	if path == "/" {
		return path + name
	}
	return path + "/" + name
}
