package compose

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// source is a directory of the file system whose files are taken.
type source struct {
	*builder
	dir   *os.File
	path  string // in the tree
	adopt bool   // files may become objects
}

// file takes the file or symbolic link called name.
func (s *source) file(name string) (content object.Checksum, skip bool, err error) {
	var st unix.Stat_t
	if err := unix.Fstatat(int(s.dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return content, false, failure("fstatat", name, err)
	}
	if kind := st.Mode & unix.S_IFMT; kind != unix.S_IFREG && kind != unix.S_IFLNK {
		return content, false, fmt.Errorf("Not a regular file or symlink: %s", name)
	}
	known, linked := s.links[inode{st.Dev, st.Ino}]
	if linked && s.Links == TrustLinks {
		s.known.Add(1)
		s.progress.add(0)
		return known, false, nil
	}
	f := &file{source: s, name: name, st: &st, linked: linked}
	if err := f.describe(known); err != nil {
		return content, false, fmt.Errorf("%s: %w", below(s.path, name), err)
	}
	before := f.h
	if s.Modifier.Apply(below(s.path, name), &f.h) {
		return content, true, nil
	}
	f.same = !s.noXattrs && sameMeta(&before, &f.h)
	if linked && f.same {
		s.known.Add(1)
		s.progress.add(0)
		return known, false, nil
	}
	if content, err = f.write(); err != nil {
		err = fmt.Errorf("%s: %w", below(s.path, name), err)
	}
	s.progress.add(f.h.Size)
	return content, false, err
}

// sameMeta compares two headers, but for their xattrs.
func sameMeta(a, b *object.Header) bool {
	return a.UID == b.UID && a.GID == b.GID && a.Mode == b.Mode
}

// file is a file that is being taken.
type file struct {
	*source
	name   string
	st     *unix.Stat_t
	linked bool // to an object
	same   bool // nothing of it is changed
	h      object.Header
}

// describe finds owner, mode, size and target. A link to a bare-user object has what
// the object says: the file itself belongs to whoever made the checkout.
func (f *file) describe(linked object.Checksum) (err error) {
	if f.linked && f.repo.Mode() == objstore.BareUser {
		f.h, err = f.repo.Header(linked)
		return err
	}
	f.h = object.Header{UID: f.st.Uid, GID: f.st.Gid, Mode: f.st.Mode}
	if f.st.Mode&unix.S_IFMT == unix.S_IFREG {
		f.h.Size = uint64(f.st.Size)
		return nil
	}
	target := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(f.dir.Fd()), f.name, target)
	if err != nil {
		return failure("readlinkat", f.name, err)
	}
	f.h.Target = string(target[:n])
	return nil
}

// write makes an object of the file.
func (f *file) write() (sum object.Checksum, err error) {
	own := !f.noXattrs && !(f.linked && f.repo.Mode() == objstore.BareUser)
	if f.st.Mode&unix.S_IFMT == unix.S_IFLNK {
		if own {
			if f.h.Xattrs, err = objstore.LinkXattrs(f.dir, f.name); err != nil {
				return sum, err
			}
		}
		return f.tx.WriteContent(f.h, nil)
	}
	fd, err := f.open()
	if err != nil {
		return sum, err
	}
	if own {
		if f.h.Xattrs, err = objstore.DescriptorXattrs(fd); err != nil {
			unix.Close(fd)
			return sum, err
		}
	}
	return f.writeRegular(fd)
}

// errChanged says that a file was replaced between two looks at it.
var errChanged = errors.New("it was changed while it was read")

// open opens a regular file, which must be the one that was looked at.
func (f *file) open() (fd int, err error) {
	const flags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY
	if fd, err = unix.Openat(int(f.dir.Fd()), f.name, flags, 0); err != nil {
		return fd, failure("openat", f.name, err)
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	if err == nil && (st.Dev != f.st.Dev || st.Ino != f.st.Ino || st.Mode != f.st.Mode || st.Uid != f.st.Uid || st.Gid != f.st.Gid || st.Size != f.st.Size) {
		err = errChanged
	}
	if err != nil {
		unix.Close(fd)
	}
	return fd, err
}

// large is the size in bytes from which a file is worth an os.File.
const large = 128 << 10

// writeRegular makes an object of an open file, which it closes.
func (f *file) writeRegular(fd int) (object.Checksum, error) {
	adopt := f.adopt && (f.same || f.repo.Mode() == objstore.BareUserOnly)
	if f.h.Size < large && !adopt {
		defer unix.Close(fd)
		return f.tx.WriteContent(f.h, descriptor(fd))
	}
	opened := os.NewFile(uintptr(fd), f.name)
	defer opened.Close()
	if adopt {
		return f.tx.Adopt(f.h, opened)
	}
	return f.tx.WriteContent(f.h, opened)
}

// descriptor reads an open file.
type descriptor int

func (d descriptor) Read(p []byte) (int, error) {
	for {
		n, err := unix.Read(int(d), p)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, err
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		}
		return n, nil
	}
}
