package delta

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// inMemory is how many bytes are held in memory of what grows while it is read; what is
// longer goes to a file.
const inMemory = 1 << 20

// maxRead is how many bytes of a file are held in memory: parts have less than that,
// unless somebody wants them larger.
const maxRead = 32 << 20

// bulk is bytes that are looked at anywhere: in memory, or mapped from a file that
// has no name.
type bulk struct {
	data   []byte
	mapped bool
}

// gather reads all there is. A file is made where objects are written before they get
// their names, or, where the repository can't be written, among the machine's temporary
// files; it takes at most half of what is free there.
func gather(repo *objstore.Repo, from io.Reader) (*bulk, error) {
	var buf bytes.Buffer
	if n, err := io.CopyN(&buf, from, inMemory+1); err != nil && err != io.EOF {
		return nil, err
	} else if n <= inMemory {
		return &bulk{data: buf.Bytes()}, nil
	}
	file, err := nameless(repo)
	if err != nil {
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	defer file.Close()
	size, err := fill(file, io.MultiReader(&buf, from))
	if err != nil {
		return nil, err
	}
	data, err := unix.Mmap(int(file.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mmap: %w", err)
	}
	return &bulk{data, true}, nil
}

func (b *bulk) close() {
	if b.mapped {
		unix.Munmap(b.data)
	}
}

// fill copies into a file what fits, and tells how many bytes that was.
func fill(file *os.File, from io.Reader) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(file.Fd()), &st); err != nil {
		return 0, fmt.Errorf("statfs: %w", err)
	}
	limit := int64(min(st.Bavail*uint64(st.Bsize)/2, 1<<46))
	size, err := io.Copy(file, io.LimitReader(from, limit+1))
	if err == nil && size > limit {
		err = fmt.Errorf("unpacked it takes more than %s, half of what is free", objstore.FormatSize(uint64(limit)))
	}
	return size, err
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
