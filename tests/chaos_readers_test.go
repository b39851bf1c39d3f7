package tests

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand"
	"os"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// chaosReader reads a mount's tree, and compares with what is in it.
type chaosReader struct {
	grove  *grove
	mount  *chaosMount
	tally  *tally
	random *rand.Rand
	ended  *atomic.Bool
	held   []*os.File // open from the beginning to the end
	mapped []byte     // in the same way
}

// chaosReaders are the kinds of reading. Each is one round; what fails in it goes to the tally.
var chaosReaders = []func(*chaosReader){
	(*chaosReader).sums, (*chaosReader).sums, (*chaosReader).stats, (*chaosReader).stats,
	(*chaosReader).heldFiles, (*chaosReader).mapping, (*chaosReader).stream, (*chaosReader).links,
}

func (r *chaosReader) loop(round func(*chaosReader)) {
	for !r.ended.Load() {
		round(r)
	}
	for _, f := range r.held {
		f.Close()
	}
	if r.mapped != nil {
		unix.Munmap(r.mapped)
	}
}

// try does one operation.
func (r *chaosReader) try(what string, op func() error) {
	start := time.Now()
	err := op()
	if err != nil {
		err = fmt.Errorf("%s: %s: %w", r.mount.name, what, err)
	}
	r.tally.add(time.Since(start), err)
}

func (r *chaosReader) any() string { return r.grove.files[r.random.Intn(len(r.grove.files))] }

func (r *chaosReader) path(name string) string { return r.mount.tree + "/" + name }

// sums reads a whole file.
func (r *chaosReader) sums() {
	name := r.any()
	r.try(name, func() error {
		data, err := os.ReadFile(r.path(name))
		if err == nil && sha256.Sum256(data) != r.grove.sums[name] {
			err = fmt.Errorf("wrong content, %d bytes", len(data))
		}
		return err
	})
}

// stats asks for attributes, and for a name that is not there.
func (r *chaosReader) stats() {
	name := r.any()
	r.try(name, func() error {
		info, err := os.Lstat(r.path(name))
		if err == nil && (info.Size() != r.grove.sizes[name] || info.Mode() != 0o644) {
			err = fmt.Errorf("%v, %d bytes", info.Mode(), info.Size())
		}
		if _, absent := os.Lstat(r.path(name + "-absent")); err == nil && !os.IsNotExist(absent) {
			err = fmt.Errorf("what is absent: %w", absent)
		}
		return err
	})
}

// heldFiles reads somewhere in files that are open all the time, and opens and closes others.
func (r *chaosReader) heldFiles() {
	for len(r.held) < 64 {
		r.try("open", func() error {
			f, err := os.Open(r.path(r.grove.files[len(r.held)*5]))
			r.held = append(r.held, f)
			return err
		})
	}
	i := r.random.Intn(len(r.held))
	name := r.grove.files[i*5]
	r.try("held "+name, func() error {
		want, err := os.ReadFile(r.grove.root + "/" + name)
		if err != nil || len(want) == 0 {
			return err
		}
		at := r.random.Intn(len(want))
		unix.Fadvise(int(r.held[i].Fd()), 0, 0, unix.FADV_DONTNEED)
		got := make([]byte, len(want)-at)
		if _, err := r.held[i].ReadAt(got, int64(at)); err != nil {
			return err
		}
		if !bytes.Equal(got, want[at:]) {
			return fmt.Errorf("wrong content from %d on", at)
		}
		return nil
	})
	if r.random.Intn(50) == 0 {
		r.held[i].Close()
		r.try("open", func() (err error) { r.held[i], err = os.Open(r.path(name)); return err })
	}
}

// mapping touches pages of a mapped file.
func (r *chaosReader) mapping() {
	r.try("mapping", func() (err error) {
		if r.mapped == nil {
			f, err := os.Open(r.path("big"))
			if err != nil {
				return err
			}
			defer f.Close()
			if r.mapped, err = unix.Mmap(int(f.Fd()), 0, len(r.grove.big), unix.PROT_READ, unix.MAP_SHARED); err != nil {
				return err
			}
		}
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer func() {
			if fault := recover(); fault != nil {
				err = fmt.Errorf("%v", fault)
			}
		}()
		unix.Madvise(r.mapped, unix.MADV_DONTNEED)
		for range 20 {
			if at := r.random.Intn(len(r.mapped)); r.mapped[at] != r.grove.big[at] {
				return fmt.Errorf("wrong byte at %d", at)
			}
		}
		return nil
	})
}

// stream reads a directory in small pieces, with time between them.
func (r *chaosReader) stream() {
	r.try("directory", func() error {
		dir, err := os.Open(r.path("wide"))
		if err != nil {
			return err
		}
		defer dir.Close()
		var names []string
		buf := make([]byte, 1024)
		for waits := 0; ; waits++ {
			n, err := unix.ReadDirent(int(dir.Fd()), buf)
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
			_, _, names = unix.ParseDirent(buf[:n], -1, names)
			if waits%10 == 0 {
				time.Sleep(20 * time.Millisecond)
			}
		}
		slices.Sort(names)
		if want := slices.Sorted(slices.Values(r.grove.names)); !slices.Equal(names, want) {
			return fmt.Errorf("%d names, want %d", len(names), len(want))
		}
		return nil
	})
}

// links goes up and down through a directory that is held.
func (r *chaosReader) links() {
	r.try("relative", func() error {
		dir, err := os.OpenRoot(r.path("d1/s1"))
		if err != nil {
			return err
		}
		defer dir.Close()
		list, err := os.ReadDir(r.path("d1/s1"))
		if err != nil || len(list) == 0 {
			return fmt.Errorf("%d entries: %w", len(list), err)
		}
		data, err := dir.ReadFile(list[r.random.Intn(len(list))].Name())
		if err == nil && len(data) > 60000 {
			err = fmt.Errorf("%d bytes", len(data))
		}
		return err
	})
}
