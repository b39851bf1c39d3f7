package objstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// Partial says whether some of a commit's objects may be absent, and why.
type Partial uint8

// What a commit's mark says.
const (
	Whole     Partial = iota // there is no mark
	Fetched                  // by intention: an interrupted or restricted pull
	Defective                // `ostree fsck` missed an object
)

const (
	maxMark   = 4096 // bytes of a mark; one by fsck has one
	defective = "f"
)

func partialPath(commit object.Checksum) string {
	return "state/" + commit.String() + ".commitpartial"
}

// Partial reads a commit's mark, here or in a parent repository.
func (r *Repo) Partial(commit object.Checksum) (Partial, error) {
	for repo := r; repo != nil; repo = repo.parent {
		text, err := readFileAt(repo.dir, partialPath(commit), maxMark)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return Whole, fmt.Errorf("openat(%s): %w", partialPath(commit), plain(err))
		case len(text) > 0 && string(text[:1]) == defective:
			return Defective, nil
		default:
			return Fetched, nil
		}
	}
	return Whole, nil
}

// HasPartial reports whether any commit has a mark, here or in a parent repository.
func (r *Repo) HasPartial() (bool, error) {
	for repo := r; repo != nil; repo = repo.parent {
		list, err := os.ReadDir(filepath.Join(repo.path, "state"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		for _, entry := range list {
			if strings.HasSuffix(entry.Name(), ".commitpartial") {
				return true, nil
			}
		}
	}
	return false, nil
}

// MarkDefective marks a commit as one that lacks objects which it should have, so
// that a pull fetches them and `ostree fsck` does not miss them again.
func (r *Repo) MarkDefective(commit object.Checksum) error {
	if err := unix.Mkdirat(int(r.dir.Fd()), "state", 0o775); err != nil && err != unix.EEXIST {
		return fmt.Errorf("mkdirat(state): %w", describe(err))
	}
	return r.Replace(r.dir, partialPath(commit), []byte(defective), 0o644)
}
