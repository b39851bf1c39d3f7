package flatpak

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// maxDepth bounds the nesting of directories, as package tree does.
const maxDepth = 4096

// block is what flatpak rounds the size of a file up to, in bytes.
const block = 512

// sizes are what a tree takes, in bytes: each file counts as often as it occurs.
type sizes struct {
	Installed uint64 // of the files, each rounded up to whole blocks
	Download  uint64 // of the objects
}

// add adds sizes, up to the largest number that there is.
func (s *sizes) add(other sizes) {
	s.Installed = sum(s.Installed, other.Installed)
	s.Download = sum(s.Download, other.Download)
}

func sum(a, b uint64) uint64 {
	n, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return n
}

// measure finds out how large trees are. Each object is looked at once.
type measure struct {
	ctx   context.Context
	repo  *objstore.Repo
	known map[object.Checksum]sizes // of directories and files
}

// dir is the size of a directory that is so deep, with all below it.
func (m *measure) dir(tree object.Checksum, depth int) (total sizes, err error) {
	if total, ok := m.known[tree]; ok {
		return total, nil
	}
	if depth > maxDepth {
		return total, fmt.Errorf("more than %d directories deep", maxDepth)
	}
	if err := m.ctx.Err(); err != nil {
		return total, err
	}
	t, err := m.repo.DirTree(tree)
	if err != nil {
		return total, err
	}
	for i := range t.NumFiles() {
		_, content := t.File(i)
		size, err := m.file(content)
		if err != nil {
			return total, err
		}
		total.add(size)
	}
	for i := range t.NumDirs() {
		_, child, _ := t.Dir(i)
		size, err := m.dir(child, depth+1)
		if err != nil {
			return total, err
		}
		total.add(size)
	}
	m.known[tree] = total
	return total, nil
}

// file is the size of a regular file; links count nothing.
func (m *measure) file(content object.Checksum) (size sizes, err error) {
	if size, ok := m.known[content]; ok {
		return size, nil
	}
	h, err := m.repo.Stat(content)
	if err != nil {
		return size, err
	}
	if !h.IsSymlink() {
		size.Installed = sum(h.Size, block-1) / block * block
		if size.Download, err = stored(m.repo, object.Name{Checksum: content, Kind: object.KindFile}); err != nil {
			return size, err
		}
	}
	m.known[content] = size
	return size, nil
}

// stored is the size of an object's file, here or in a parent repository.
func stored(repo *objstore.Repo, name object.Name) (uint64, error) {
	for ; repo != nil; repo = repo.Parent() {
		objects, path := repo.ObjectFile(name)
		var st unix.Stat_t
		err := unix.Fstatat(int(objects.Fd()), path, &st, unix.AT_SYMLINK_NOFOLLOW)
		if err == nil {
			return uint64(st.Size), nil
		}
		if !errors.Is(err, unix.ENOENT) {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
	}
	return 0, &object.NotExistError{Object: name}
}
