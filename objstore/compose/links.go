package compose

import (
	"context"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// inode is a file, whatever names it has.
type inode struct{ dev, ino uint64 }

// scanLinks finds out which files are objects of the repository and its parents. An
// archive's uncompressed copies are not looked for, as ostree does not.
func (b *builder) scanLinks(ctx context.Context) error {
	if b.Links == IgnoreLinks {
		return nil
	}
	b.links = map[inode]object.Checksum{}
	for repo := b.repo; repo != nil; repo = repo.Parent() {
		objects, _ := repo.ObjectFile(object.Name{})
		if err := b.scanObjects(ctx, objects); err != nil {
			return err
		}
	}
	return nil
}

// bucket is what a directory of objects holds.
type bucket struct {
	name  string
	files map[inode]object.Checksum
	err   error
}

// scanObjects adds the content of one directory of objects. What is known already
// stays: this repository's object counts before its parent's.
func (b *builder) scanObjects(ctx context.Context, objects *os.File) error {
	dir, err := openDir(int(objects.Fd()), ".")
	if err != nil {
		return err
	}
	names, err := list(dir)
	dir.Close()
	if err != nil {
		return err
	}
	var buckets []bucket
	for _, entry := range names {
		if len(entry.name) == 2 && entry.dir {
			buckets = append(buckets, bucket{name: entry.name})
		}
	}
	b.crew.each(len(buckets), func(i int) {
		if buckets[i].err = ctx.Err(); buckets[i].err == nil {
			buckets[i].err = buckets[i].scan(objects)
		}
	})()
	for i := range buckets {
		if buckets[i].err != nil {
			return buckets[i].err
		}
		for inode, sum := range buckets[i].files {
			if _, ok := b.links[inode]; !ok {
				b.links[inode] = sum
			}
		}
	}
	return nil
}

func (k *bucket) scan(objects *os.File) error {
	dir, err := openDir(int(objects.Fd()), k.name)
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := list(dir)
	if err != nil {
		return err
	}
	k.files = make(map[inode]object.Checksum, len(names))
	for _, entry := range names {
		digits, ok := strings.CutSuffix(entry.name, ".file")
		if !ok {
			continue
		}
		sum, err := object.ParseChecksum(k.name + digits)
		if err != nil {
			continue // a stray file
		}
		var st unix.Stat_t
		if err := unix.Fstatat(int(dir.Fd()), entry.name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return failure("fstatat", entry.name, err)
		}
		k.files[inode{st.Dev, st.Ino}] = sum
	}
	return nil
}
