// Package words keeps numbers in a file that all processes of a user share.
package words

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"deployfs/objstore/fault"
)

// File is a file of 64-bit words that all processes of a user share. What
// can't be read or written, because the disk is full or somebody cut the file,
// is 0 and is not kept. After Close every word is 0.
type File struct {
	mu     sync.RWMutex // held against Close
	mapped []byte
	words  []uint64
}

var errNotOurs = errors.New("not a private file of the right size")

// Map maps the file at path, which holds count words. One that is absent,
// or that another user could have written, is made anew, full of zeros; then
// it is fresh.
func Map(path string, count int) (w *File, fresh bool, err error) {
	if w, err = open(path, count); err == nil {
		return w, false, nil
	}
	if err = create(path, count); err == nil {
		w, err = open(path, count)
	}
	return w, true, err
}

func open(path string, count int) (*File, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	// A second name could be somebody else's doing.
	if !Private(&st, unix.S_IFREG) || st.Nlink != 1 || st.Size != int64(count)*8 {
		return nil, fmt.Errorf("%s: %w", path, errNotOurs)
	}
	mapped, err := unix.Mmap(fd, 0, count*8, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, &os.PathError{Op: "map", Path: path, Err: err}
	}
	return &File{mapped: mapped, words: unsafe.Slice((*uint64)(unsafe.Pointer(&mapped[0])), count)}, nil
}

// Private reports whether st is of the given type, belongs to the effective
// user and can be written by nobody else.
func Private(st *unix.Stat_t, kind uint32) bool {
	return st.Mode&unix.S_IFMT == kind && st.Uid == uint32(os.Geteuid()) && st.Mode&0o022 == 0
}

// create puts a file of zeros, which takes no room, at path.
func create(path string, count int) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer f.Close()
	err = f.Truncate(int64(count) * 8)
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// Load is word i.
func (w *File) Load(i int) (value uint64) {
	w.reach(i, func(word *uint64) { value = atomic.LoadUint64(word) })
	return value
}

// Store sets word i.
func (w *File) Store(i int, value uint64) {
	w.reach(i, func(word *uint64) { atomic.StoreUint64(word, value) })
}

// Add changes word i by delta and returns what it is then.
func (w *File) Add(i int, delta int64) (sum uint64) {
	w.reach(i, func(word *uint64) { sum = atomic.AddUint64(word, uint64(delta)) })
	return sum
}

// reach calls use with word i. Where there is no page to reach, the kernel says
// so by a fault.
func (w *File) reach(i int, use func(*uint64)) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.words == nil {
		return
	}
	fault.Catch(func() { use(&w.words[i]) })
}

// Close unmaps the file.
func (w *File) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.words != nil {
		unix.Munmap(w.mapped) // it is ours: that can't fail
		w.words, w.mapped = nil, nil
	}
}
