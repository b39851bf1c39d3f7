package prune

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
	"deployfs/objstore/reach"
)

// sweep deletes what is not marked: commits, then what they led to, directories
// before files.
func (p *pruner) sweep(ctx context.Context, held *reach.Inventory) error {
	order := []object.Kind{object.KindCommit, object.KindPayloadLink, object.KindDirTree, object.KindDirMeta, object.KindFile}
	for _, kind := range order {
		err := held.EachUnneeded(kind, func(name object.Name) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return p.drop(held, name)
		})
		if err == nil && kind == object.KindCommit && !p.options.DryRun {
			if err = p.sync.again(); err == nil {
				err = p.dropDetached()
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// drop counts an object, and deletes it unless nothing is to be deleted.
func (p *pruner) drop(held *reach.Inventory, name object.Name) error {
	p.options.Report("Pruning unneeded object %s", name)
	objects, path := p.repo.ObjectFile(name)
	size, err := sizeOf(objects, path)
	if err != nil {
		return fmt.Errorf("Querying object %s: %w", name, plain(err))
	}
	p.result.Freed += size
	if name.Kind == object.KindPayloadLink && !p.options.DryRun && p.linkServes(held, name) {
		return nil
	}
	p.result.Deleted++
	if p.options.DryRun {
		return nil
	}
	if err := p.sync.first(); err != nil {
		return err
	}
	if name.Kind != object.KindCommit {
		return p.unlink(name)
	}
	if err := p.deleteCommit(name.Checksum); err != nil {
		return err
	}
	return p.clearPartial(name.Checksum)
}

// unlink deletes an object's file; it is no error when that is gone already.
func (p *pruner) unlink(name object.Name) error {
	objects, path := p.repo.ObjectFile(name)
	if err := unix.Unlinkat(int(objects.Fd()), path, 0); err != nil && err != unix.ENOENT {
		return fmt.Errorf("Deleting object %s: unlinkat(%s): %w", name, path, plain(err))
	}
	return nil
}

// deleteCommit deletes a commit. A tombstone, where they are wanted, is there before,
// and its detached metadata until later.
func (p *pruner) deleteCommit(sum object.Checksum) error {
	if p.tombs {
		if _, err := p.repo.Bury(sum); err != nil {
			return err
		}
	}
	p.gone = append(p.gone, sum)
	return p.unlink(object.Name{Checksum: sum, Kind: object.KindCommit})
}

// dropDetached deletes the detached metadata of commits that are gone, now or since a
// prune that was cut off. It comes after them: a commit without its signatures would be
// refused.
func (p *pruner) dropDetached() error {
	drop := func(sum object.Checksum) error {
		return p.unlink(object.Name{Checksum: sum, Kind: object.KindCommitMeta})
	}
	for _, sum := range p.gone {
		if err := drop(sum); err != nil {
			return err
		}
	}
	return p.repo.EachDetached(func(sum object.Checksum) error {
		there, err := p.repo.HasObject(object.Name{Checksum: sum, Kind: object.KindCommit})
		if err != nil || there {
			return err
		}
		return drop(sum)
	})
}

// clearPartial takes the mark of a partial commit away. It goes after the commit,
// which without it would look damaged.
func (p *pruner) clearPartial(sum object.Checksum) error {
	path := "state/" + sum.String() + ".commitpartial"
	if err := unix.Unlinkat(int(p.repo.Dir().Fd()), path, 0); err != nil && err != unix.ENOENT {
		return fmt.Errorf("unlinkat(%s): %w", path, plain(err))
	}
	return nil
}

// linkServes reports whether a payload link leads to content that is needed.
func (p *pruner) linkServes(held *reach.Inventory, link object.Name) bool {
	target, ok := LinkTarget(p.repo, link)
	return ok && held.Needs(target)
}

// sizeOf is the size of a file or link below dir, in bytes.
func sizeOf(dir *os.File, path string) (uint64, error) {
	var st unix.Stat_t
	err := unix.Fstatat(int(dir.Fd()), path, &st, unix.AT_SYMLINK_NOFOLLOW)
	return uint64(st.Size), err
}

// plain gives the errors that users meet most the C library's words, as ostree does.
func plain(err error) error {
	for known, text := range map[error]string{
		fs.ErrNotExist: "No such file or directory", fs.ErrPermission: "Permission denied", unix.EROFS: "Read-only file system",
	} {
		if errors.Is(err, known) {
			return &worded{text, err}
		}
	}
	return err
}

// worded is an error with other words.
type worded struct {
	text string
	error
}

func (w *worded) Error() string { return w.text }
func (w *worded) Unwrap() error { return w.error }
