package compose

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// given is a directory that is deleted when the commit is there.
type given struct {
	name string
	taken
}

// taken are the names of a directory that were looked at. The methods of nil do
// nothing: nothing is to be deleted.
type taken struct {
	files   []string
	skipped []string // with all that is below them
	dirs    []given
}

func (t *taken) file(name string) {
	if t != nil {
		t.files = append(t.files, name)
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
	}
}

// consume deletes what was given away, and nothing that has come since. The working
// directory itself stays.
func (b *builder) consume() error {
	for _, g := range b.given {
		if err := g.remove(unix.AT_FDCWD, g.name != "."); err != nil {
			return fmt.Errorf("the commit is made; deleting %s: %w", g.name, err)
		}
	}
	return nil
}

func (g *given) remove(at int, itself bool) error {
	dir, err := openDir(at, g.name)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := g.removeEntries(dir); err != nil {
		return err
	}
	if !itself {
		return nil
	}
	if err := unix.Unlinkat(at, g.name, unix.AT_REMOVEDIR); err != nil {
		return failure("unlinkat", g.name, err)
	}
	return nil
}

func (t *taken) removeEntries(dir *os.File) error {
	for _, name := range t.files {
		if err := unix.Unlinkat(int(dir.Fd()), name, 0); err != nil {
			return failure("unlinkat", name, err)
		}
	}
	for _, name := range t.skipped {
		if err := removeAll(int(dir.Fd()), name); err != nil {
			return err
		}
	}
	for i := range t.dirs {
		if err := t.dirs[i].remove(int(dir.Fd()), true); err != nil {
			return err
		}
	}
	return nil
}

// removeAll deletes a file, or a directory with all that is in it.
func removeAll(at int, name string) error {
	err := unix.Unlinkat(at, name, 0)
	if !errors.Is(err, unix.EISDIR) {
		if err != nil {
			err = failure("unlinkat", name, err)
		}
		return err
	}
	dir, err := openDir(at, name)
	if err != nil {
		return err
	}
	names, err := list(dir)
	all := given{name: name}
	for _, entry := range names {
		all.skip(entry.name)
	}
	dir.Close()
	if err != nil {
		return err
	}
	return all.remove(at, true)
}
