// Package bulk holds bytes that are looked at anywhere and may be many: in memory, or, from some
// length on, in a file that has no name and is mapped. It takes no more than half of what is free
// where the file lies.
package bulk

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// InMemory is how many bytes are held in memory where nothing else is said.
const InMemory = 8 << 20

// Bulk is written, then read; it is not for several goroutines at once, and is to be closed.
type Bulk struct {
	repo   *objstore.Repo
	memory int      // bytes that are held in memory at most
	data   []byte   // what was written, or, when it is mapped, the mapping
	file   *os.File // where it lies; nil for memory
	size   int64
	limit  int64 // of the file
	mapped bool
}

// New begins without any bytes. From more than memory on they lie in a file: where the
// repository writes objects before they get their names, or, where it can't be written, among the
// machine's temporary files.
func New(repo *objstore.Repo, memory int) *Bulk { return &Bulk{repo: repo, memory: memory} }

// Read holds all that there is to read.
func Read(repo *objstore.Repo, from io.Reader) (*Bulk, error) {
	b := New(repo, InMemory)
	if _, err := io.Copy(b, from); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// Grow makes room for so many more bytes, where they will be in memory.
func (b *Bulk) Grow(n int64) {
	if b.file == nil && int64(len(b.data))+n <= int64(b.memory) {
		b.data = slices.Grow(b.data, int(n))
	}
}

// Len is how many bytes were written.
func (b *Bulk) Len() int64 { return b.size }

// Write appends bytes. It must not be called after Bytes.
func (b *Bulk) Write(data []byte) (int, error) {
	if b.file == nil && len(b.data)+len(data) > b.memory {
		if err := b.spill(); err != nil {
			return 0, err
		}
	}
	n := len(data)
	if b.file == nil {
		b.data = append(b.data, data...)
	} else if b.size+int64(n) > b.limit {
		return 0, fmt.Errorf("it takes more than %s, half of what is free", objstore.FormatSize(uint64(b.limit)))
	} else if written, err := b.file.Write(data); err != nil {
		return written, err
	}
	b.size += int64(n)
	return n, nil
}

// spill moves what is in memory to a file.
func (b *Bulk) spill() error {
	file, err := nameless(b.repo)
	if err != nil {
		return fmt.Errorf("temporary file: %w", err)
	}
	b.file = file
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(file.Fd()), &st); err != nil {
		return fmt.Errorf("statfs: %w", err)
	}
	b.limit = int64(min(st.Bavail*uint64(st.Bsize)/2, 1<<46))
	_, err = file.Write(b.data)
	b.data = nil
	return err
}

// Bytes are those that were written. They go when b is closed, and are not to be changed.
func (b *Bulk) Bytes() ([]byte, error) {
	if b.file == nil || b.mapped {
		return b.data, nil
	}
	data, err := unix.Mmap(int(b.file.Fd()), 0, int(b.size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mmap: %w", err)
	}
	b.data, b.mapped = data, true
	return data, nil
}

// Close gives memory and file back.
func (b *Bulk) Close() {
	if b.mapped {
		unix.Munmap(b.data)
	}
	if b.file != nil {
		b.file.Close()
	}
	b.data, b.file, b.mapped = nil, nil, false
}

// nameless makes a file without a name.
func nameless(repo *objstore.Repo) (*os.File, error) {
	if dir, err := repo.OpenDir("tmp"); err == nil {
		defer dir.Close()
		fd, err := unix.Openat(int(dir.Fd()), ".", unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
		if err == nil {
			return os.NewFile(uintptr(fd), "temporary"), nil
		}
	}
	dir := os.Getenv("TMPDIR")
	if dir == "" {
		dir = "/var/tmp" // as ostree has it: much does not fit into memory
	}
	file, err := os.CreateTemp(dir, "deployfs-")
	if err == nil {
		err = errors.Join(os.Remove(file.Name()))
	}
	return file, err
}
