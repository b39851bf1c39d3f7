package delta

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

const superblockName = "superblock"

// File is a delta in a directory: the superblock, and the parts beside it. It is to be
// closed.
type File struct {
	repo *objstore.Repo
	dir  string
	bulk *bulk // the superblock
}

// Open opens a delta by its directory or its superblock. The repository is the one that
// has room for what is large.
func Open(repo *objstore.Repo, path string) (*File, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return nil, fmt.Errorf("openat(O_DIRECTORY): %w", plain(err))
	}
	dir, base := path, superblockName
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		dir, base = filepath.Split(path)
	}
	return open(repo, dir, base, base)
}

// Find opens a delta of the repository by its name, FROM-TO or TO, or any by the path of
// its superblock, which has a slash.
func Find(repo *objstore.Repo, id string) (*File, error) {
	if strings.Contains(id, "/") {
		dir, base := filepath.Split(id)
		return open(repo, dir, base, id)
	}
	d, err := ParseName(id)
	if err != nil {
		return nil, err
	}
	return open(repo, filepath.Join(repo.Path(), d.Path()), superblockName, d.Path()+"/"+superblockName)
}

// ParseName reads the name of a delta, FROM-TO or TO.
func ParseName(id string) (d objstore.Delta, err error) {
	from, to, two := strings.Cut(id, "-")
	if !two {
		from, to = "", from
	} else if d.From, err = object.ParseChecksum(from); err != nil || d.From.IsZero() {
		return d, errRev(from)
	}
	if d.To, err = object.ParseChecksum(to); err != nil {
		return d, errRev(to)
	}
	return d, nil
}

// errRev is worded as ostree's.
func errRev(text string) error { return fmt.Errorf("Invalid rev %.64s", text) }

// open opens the delta whose superblock has that name in a directory; label is what
// messages call it.
func open(repo *objstore.Repo, dir, base, label string) (*File, error) {
	bulk, err := read(repo, filepath.Join(dir, base))
	if err != nil {
		return nil, fmt.Errorf("openat(%s): %w", label, err)
	}
	return &File{repo, dir, bulk}, nil
}

// Close gives memory back, also that of what was parsed.
func (f *File) Close() { f.bulk.close() }

// Bytes are those of the superblock, with its signatures. They go when the file is closed.
func (f *File) Bytes() []byte { return f.bulk.data }

// Parse reads the superblock. It is not to be used when the file is closed.
func (f *File) Parse() (*Superblock, error) { return Parse(f.bulk.data) }

// part is the file of a part.
func (f *File) part(s *Superblock, i int) (*bulk, error) {
	if data, ok := s.Inline(i); ok {
		return &bulk{data: data}, nil
	}
	return read(f.repo, filepath.Join(f.dir, strconv.Itoa(i)))
}

// read reads a regular file. It is not mapped: somebody might cut it.
func read(repo *objstore.Repo, path string) (*bulk, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, plain(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, errors.New("not a regular file"))
	}
	if info.Size() > maxRead {
		return gather(repo, file)
	}
	data := make([]byte, info.Size())
	n, err := io.ReadFull(file, data)
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		err = nil // what is missing will be missed
	}
	return &bulk{data: data[:n]}, plain(err)
}

// plain is an error of the system in the C library's words.
func plain(err error) error {
	if errno := unix.Errno(0); errors.As(err, &errno) {
		return objstore.ErrnoError(errno)
	}
	return err
}
