package compose

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
)

// adopt makes objects of the files that were given away, when all of the tree is
// known: until then they are their owner's.
func (b *builder) adopt() error {
	b.crew = newCrew()
	defer b.crew.leave()
	for i := range b.given {
		if err := b.adoptDir(unix.AT_FDCWD, &b.given[i]); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) adoptDir(at int, g *given) error {
	if !g.adopts {
		return nil
	}
	dir, err := openDir(at, g.name)
	if err != nil {
		return err
	}
	defer dir.Close()
	errs := make([]error, len(g.files))
	wait := b.crew.each(len(g.files), func(i int) {
		if g.files[i].adopt != nil {
			errs[i] = b.adoptFile(dir, &g.files[i])
		}
	})
	for i := range g.dirs {
		if err = b.adoptDir(int(dir.Fd()), &g.dirs[i]); err != nil {
			break
		}
	}
	wait()
	for i := 0; i < len(errs) && err == nil; i++ {
		if err = errs[i]; err != nil {
			err = fmt.Errorf("%s: %w", g.files[i].name, err)
		}
	}
	return err
}

// adoptFile makes a file the object that it was identified as. Nobody begins to write
// to it meanwhile; who does already gets a copy made.
func (b *builder) adoptFile(dir *os.File, t *takenFile) error {
	fd, err := openFile(dir, t.name)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), t.name)
	defer file.Close()
	written := transaction.BeingWritten(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return failure("fstat", t.name, err)
	}
	if !t.seen.is(&st) {
		return errChanged
	}
	if err := b.tx.Adopt(t.content, t.adopt, file, written || sharedMode(&st, t.adopt)); err != nil {
		return err
	}
	if err := unix.Fstat(fd, &st); err != nil {
		return failure("fstat", t.name, err)
	}
	t.seen = stampOf(&st)
	return nil
}

// sharedMode reports whether a file would get another mode under all of its names: it
// may be an object of another repository.
func sharedMode(st *unix.Stat_t, h *object.Header) bool { return st.Nlink > 1 && st.Mode != h.Mode }
