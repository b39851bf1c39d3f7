package bulk

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// Writer gathers bytes. It is for one goroutine.
type Writer struct {
	repo   *objstore.Repo
	memory int
	data   []byte   // what is in memory
	file   *os.File // where the rest went, with that; nil when there is none
	size   int64
	limit  int64 // of the file
}

// NewWriter holds up to so many bytes in memory. More go to a file where the repository writes
// objects before they get their names, or, where it can't be written, among the machine's
// temporary files; it takes at most half of what is free there.
func NewWriter(repo *objstore.Repo, memory int) *Writer { return &Writer{repo: repo, memory: memory} }

// Grow makes room for so many more bytes, where they will be in memory.
func (w *Writer) Grow(n int64) {
	if w.file == nil && int64(len(w.data))+n <= int64(w.memory) {
		w.data = slices.Grow(w.data, int(n))
	}
}

// Len is how many bytes were written.
func (w *Writer) Len() int64 { return w.size }

// Write appends bytes.
func (w *Writer) Write(data []byte) (int, error) {
	if w.file == nil && len(w.data)+len(data) > w.memory {
		if err := w.spill(); err != nil {
			return 0, err
		}
	}
	n := len(data)
	switch {
	case w.file == nil:
		w.data = append(w.data, data...)
	case w.size+int64(n) > w.limit:
		return 0, fmt.Errorf("unpacked it takes more than %s, half of what is free", objstore.FormatSize(uint64(w.limit)))
	default:
		if written, err := w.file.Write(data); err != nil {
			return written, err
		}
	}
	w.size += int64(n)
	return n, nil
}

// spill moves what is in memory to a file.
func (w *Writer) spill() error {
	file, err := nameless(w.repo)
	if err != nil {
		return fmt.Errorf("temporary file: %w", err)
	}
	w.file = file
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(file.Fd()), &st); err != nil {
		return fmt.Errorf("statfs: %w", err)
	}
	w.limit = int64(min(st.Bavail*uint64(st.Bsize)/2, 1<<46))
	_, err = file.Write(w.data)
	w.data = nil
	return err
}

// Done hands over what was written, and closes w.
func (w *Writer) Done() (*Bulk, error) {
	defer w.Close()
	if w.file == nil {
		return Of(w.data), nil
	}
	data, err := unix.Mmap(int(w.file.Fd()), 0, int(w.size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mmap: %w", err)
	}
	return &Bulk{data, true}, nil
}

// Close drops what was not handed over.
func (w *Writer) Close() {
	if w.file != nil {
		w.file.Close()
	}
	w.data, w.file = nil, nil
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
