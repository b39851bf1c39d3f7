package compare

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/identity"
	"deployfs/objstore/object"
)

// Directory is a directory of this machine as a side.
type Directory struct {
	Path     string          // absolute
	Repo     *objstore.Repo  // that has the other side's objects, or nil
	Known    *identity.Cache // of files that were hashed before; nil hashes every file, whatever is known of it
	NoXattrs bool            // files are taken as if they had none
	UID, GID int             // the owner and group of all files; negative is their own
	Hashed   *Amount         // what was hashed is added to it; may be nil
	Stop     func() error    // asked while a file is hashed; may be nil

	ctime sync.Map // uint64 (device) to bool: whether its ctimes are to be trusted
}

// Amount is how much has been hashed.
type Amount struct{ Files, Bytes atomic.Int64 }

var _ Side = (*Directory)(nil)

// file is the path of a node.
func (d *Directory) file(n Node) string { return path.Join(d.Path, n.Path) }

// Root is the directory, also when it is a symbolic link to one.
func (d *Directory) Root() (n Node, err error) {
	n.Path, n.Stat = "/", new(unix.Stat_t)
	if err := unix.Lstat(d.Path, n.Stat); err != nil {
		return n, infoError(d.Path, err)
	}
	if n.Stat.Mode&unix.S_IFMT == unix.S_IFLNK {
		var st unix.Stat_t
		if unix.Stat(d.Path, &st) == nil {
			n.Stat = &st
		}
	}
	return n, nil
}

// Children lists in the order in which GLib does.
func (d *Directory) Children(dir Node) ([]Node, error) {
	names, err := listed(d.file(dir))
	if err != nil {
		return nil, err
	}
	nodes := make([]Node, 0, len(names))
	for _, name := range names {
		switch n, err := d.child(dir, name); {
		case err != nil:
			return nil, err
		case n.Exists():
			nodes = append(nodes, n)
		}
	}
	return nodes, nil
}

// Find asks for each entry by its name.
func (d *Directory) Find(dir Node, like []Node) (found []Node, err error) {
	found = make([]Node, len(like))
	for i := range like {
		if found[i], err = d.child(dir, nameOf(like[i])); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (d *Directory) child(dir Node, name string) (n Node, err error) {
	var st unix.Stat_t
	n.Path = join(dir.Path, name)
	switch err := unix.Lstat(d.file(n), &st); {
	case err == unix.ENOENT:
		return Node{}, nil
	case err != nil:
		return Node{}, infoError(d.file(n), err)
	}
	n.Stat = &st
	return n, nil
}

// Header is what the file would have as an object.
func (d *Directory) Header(n Node) (object.Header, error) {
	h, err := objstore.FileHeader(d.file(n), n.Stat, !d.NoXattrs)
	if d.UID >= 0 {
		h.UID = uint32(d.UID)
	}
	if d.GID >= 0 {
		h.GID = uint32(d.GID)
	}
	return h, err
}

// Sum is the checksum that was remembered, or hashes the file.
func (d *Directory) Sum(n Node) (sum object.Checksum, err error) {
	if n.Stat.Mode&unix.S_IFMT != unix.S_IFREG {
		h, err := d.Header(n)
		return objstore.HeaderChecksum(h), err
	}
	if d.Known == nil || !d.keepsCtime(n) {
		return d.hash(n)
	}
	key := identity.KeyOf(n.Stat, d.variant())
	if sum, ok := d.Known.Lookup(key); ok {
		return sum, nil
	}
	start := time.Now()
	if sum, err = d.hash(n); err != nil || !identity.Trusted(n.Stat, start) {
		return sum, err
	}
	var after unix.Stat_t
	if unix.Lstat(d.file(n), &after) == nil && identity.KeyOf(&after, d.variant()) == key {
		d.Known.Add(key, sum)
	}
	return sum, nil
}

// variant tells apart how files are hashed.
func (d *Directory) variant() uint64 {
	v := uint64(uint32(d.UID))<<32 | uint64(uint32(d.GID))
	if d.NoXattrs {
		v = ^v
	}
	return v
}

func (d *Directory) keepsCtime(n Node) bool {
	if known, ok := d.ctime.Load(n.Stat.Dev); ok {
		return known.(bool)
	}
	keeps := identity.KeepsCtime(d.file(n))
	d.ctime.Store(n.Stat.Dev, keeps)
	return keeps
}

// hash reads a regular file.
func (d *Directory) hash(n Node) (sum object.Checksum, err error) {
	h, err := d.Header(n)
	if err != nil {
		return sum, err
	}
	f, err := d.Open(n)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	if d.Hashed != nil {
		d.Hashed.Files.Add(1)
	}
	return objstore.ContentChecksum(h, watched{f, d})
}

// watched counts what is read, until it has to stop.
type watched struct {
	io.Reader
	dir *Directory
}

func (w watched) Read(p []byte) (int, error) {
	if w.dir.Stop != nil {
		if err := w.dir.Stop(); err != nil {
			return 0, err
		}
	}
	n, err := w.Reader.Read(p)
	if w.dir.Hashed != nil {
		w.dir.Hashed.Bytes.Add(int64(n))
	}
	return n, err
}

// Open opens a regular file.
func (d *Directory) Open(n Node) (io.ReadCloser, error) {
	f, err := os.OpenFile(d.file(n), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, &FileError{"Error opening file " + d.file(n), err}
	}
	return f, nil
}

// FileError is what has kept a file of this machine from being read, in the words of GLib.
type FileError struct {
	Text string
	Err  error
}

func (e *FileError) Error() string {
	var errno unix.Errno
	if errors.As(e.Err, &errno) {
		return e.Text + ": " + objstore.ErrnoText(errno)
	}
	return e.Text + ": " + e.Err.Error()
}

func (e *FileError) Unwrap() error { return e.Err }

func infoError(path string, err error) error {
	return &FileError{fmt.Sprintf("Error when getting information for file “%s”", path), err}
}

func openDirError(path string, err error) error {
	return &FileError{fmt.Sprintf("Error opening directory '%s'", path), err}
}
