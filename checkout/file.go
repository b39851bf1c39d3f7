package checkout

import (
	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// worker makes files, one after the other.
type worker struct {
	*run
	buf []byte // made when it is first needed
}

// target is a file that is to be made.
type target struct {
	object.Header
	sum  object.Checksum
	dir  int // that gets it
	name string
}

// files makes a batch of files.
func (w *worker) files(j job) error {
	for i := j.from; i < j.to; i++ {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		name, sum := j.dir.tree.File(i)
		if w.Skip != nil && w.Skip(j.dir.path+string(name)) {
			continue
		}
		if err := w.file(j.dir.fd, string(name), sum); err != nil {
			return err
		}
		w.stats.Entries.Add(1)
	}
	return nil
}

// file makes a file, or does what its name says.
func (w *worker) file(dir int, name string, sum object.Checksum) (err error) {
	t := target{sum: sum, dir: dir, name: name}
	if w.links {
		if t.Header, err = w.repo.Stat(sum); err != nil {
			return err
		}
		if !w.isSpecial(t) && !w.alwaysCopied(t) {
			if done, err := w.link(t); done || err != nil {
				return err
			}
		}
	}
	c, err := w.repo.Content(sum)
	if err != nil {
		return err
	}
	defer c.Close()
	if t.Header = c.Header; w.isSpecial(t) {
		return w.special(t, c)
	}
	return w.copy(t, c)
}

// alwaysCopied reports whether a file is never a link: one empty object would get too many, and in user
// mode a file that its owner can't read is made readable for him.
func (w *worker) alwaysCopied(t target) bool {
	return !t.IsSymlink() && (t.Size == 0 || w.User && t.Mode&unix.S_IRUSR == 0)
}
