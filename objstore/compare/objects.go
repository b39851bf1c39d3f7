package compare

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// Objects are how many objects two commits are made of, and what they share.
type Objects struct {
	Old, New, Common int
	CommonBytes      uint64 // as this repository stores them
}

// CountObjects counts the objects of two commits, the commits among them. Absent directories of a
// partial commit are passed over, and so is a commit that is absent itself.
func CountObjects(ctx context.Context, repo *objstore.Repo, old, new object.Checksum) (o Objects, err error) {
	a, err := reach(ctx, repo, old)
	if err != nil {
		return o, err
	}
	b, err := reach(ctx, repo, new)
	if err != nil {
		return o, err
	}
	o.Old, o.New = len(a), len(b)
	for len(a) > 0 && len(b) > 0 {
		switch order := compareNames(a[0], b[0]); {
		case order < 0:
			a = a[1:]
		case order > 0:
			b = b[1:]
		default:
			size, err := stored(repo, a[0])
			if err != nil {
				return o, err
			}
			o.Common++
			o.CommonBytes += size
			a, b = a[1:], b[1:]
		}
	}
	return o, nil
}

func compareNames(a, b object.Name) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), bytes.Compare(a.Checksum[:], b.Checksum[:]))
}

// stored is how large an object's file is.
func stored(repo *objstore.Repo, name object.Name) (uint64, error) {
	var st unix.Stat_t
	objects, path := repo.ObjectFile(name)
	if err := unix.Fstatat(int(objects.Fd()), path, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return 0, &FileError{fmt.Sprintf("Querying object %s.%s", name.Checksum, name.Kind), err}
	}
	return uint64(st.Size), nil
}

// reacher collects the objects of a commit.
type reacher struct {
	ctx     context.Context
	repo    *objstore.Repo
	partial bool
	found   []object.Name
	seen    map[object.Checksum]bool // dirtrees
}

// reach is the objects of a commit, each once, in order.
func reach(ctx context.Context, repo *objstore.Repo, sum object.Checksum) ([]object.Name, error) {
	commit, err := repo.Commit(sum)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := &reacher{ctx: ctx, repo: repo, partial: repo.IsPartial(sum), seen: map[object.Checksum]bool{}}
	r.add(object.KindCommit, sum)
	if err := r.dir(commit.Root, commit.RootMeta, 0); err != nil {
		return nil, err
	}
	slices.SortFunc(r.found, compareNames)
	return slices.Compact(r.found), nil
}

func (r *reacher) add(kind object.Kind, sum object.Checksum) {
	r.found = append(r.found, object.Name{Checksum: sum, Kind: kind})
}

// dir collects a directory and all below it.
func (r *reacher) dir(sum, meta object.Checksum, depth int) error {
	r.add(object.KindDirMeta, meta)
	if r.seen[sum] {
		return nil
	}
	r.seen[sum] = true
	r.add(object.KindDirTree, sum)
	if depth == maxDepth {
		return fmt.Errorf("dirtree %s: more than %d directories deep", sum, maxDepth)
	}
	t, err := r.repo.DirTree(sum)
	if r.partial && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for i := range t.NumFiles() {
		_, content := t.File(i)
		r.add(object.KindFile, content)
	}
	for i := range t.NumDirs() {
		_, sub, meta := t.Dir(i)
		if err := r.dir(sub, meta, depth+1); err != nil {
			return err
		}
	}
	return r.ctx.Err()
}
