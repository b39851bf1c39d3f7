package compose

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
)

// source is a directory of the file system whose files are taken.
type source struct {
	*builder
	dir   *os.File
	path  string // in the tree
	adopt bool   // files may become objects
}

// file takes the file or symbolic link called name.
func (s *source) file(name string, result *taking) error {
	var st unix.Stat_t
	if err := unix.Fstatat(int(s.dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return failure("fstatat", name, err)
	}
	if kind := st.Mode & unix.S_IFMT; kind != unix.S_IFREG && kind != unix.S_IFLNK {
		return fmt.Errorf("Not a regular file or symlink: %s", name)
	}
	result.seen = stampOf(&st)
	known, linked := s.links[inode{st.Dev, st.Ino}]
	if linked && s.Links == TrustLinks {
		s.take(known, result)
		return nil
	}
	f := &file{source: s, name: name, st: &st, linked: linked}
	if err := f.describe(known); err != nil {
		return fmt.Errorf("%s: %w", below(s.path, name), err)
	}
	before := f.h
	if result.skip = s.Modifier.Apply(below(s.path, name), &f.h); result.skip {
		return nil
	}
	f.same = !s.noXattrs && sameMeta(&before, &f.h)
	if linked && f.same {
		s.take(known, result)
		return nil
	}
	if err := f.write(result); err != nil {
		return fmt.Errorf("%s: %w", below(s.path, name), err)
	}
	s.progress.add(f.h.Size)
	return nil
}

// take takes a file for an object that is known.
func (s *source) take(known object.Checksum, result *taking) {
	s.known.Add(1)
	s.progress.add(0)
	result.content = known
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
func (f *file) write(result *taking) (err error) {
	own := !f.noXattrs && !(f.linked && f.repo.Mode() == objstore.BareUser)
	if f.st.Mode&unix.S_IFMT == unix.S_IFLNK {
		if own {
			if f.h.Xattrs, err = objstore.LinkXattrs(f.dir, f.name); err != nil {
				return err
			}
		}
		result.content, err = f.tx.WriteContent(f.h, nil)
		return err
	}
	fd, err := f.open()
	if err != nil {
		return err
	}
	if own {
		if f.h.Xattrs, err = objstore.DescriptorXattrs(fd); err != nil {
			unix.Close(fd)
			return err
		}
	}
	if f.adoptable(fd) {
		defer unix.Close(fd)
		return f.identify(fd, result)
	}
	result.content, err = f.writeRegular(fd)
	return err
}

func openFile(dir *os.File, name string) (fd int, err error) {
	const flags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY
	if fd, err = unix.Openat(int(dir.Fd()), name, flags, 0); err != nil {
		err = failure("openat", name, err)
	}
	return fd, err
}

// open opens a regular file, which must be the one that was looked at.
func (f *file) open() (fd int, err error) {
	if fd, err = openFile(f.dir, f.name); err != nil {
		return fd, err
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

// adoptable reports whether an open file may become the object itself: nobody writes to
// it, and if it has other names, nothing of it changes.
func (f *file) adoptable(fd int) bool {
	return f.adopt && (f.same || f.repo.Mode() == objstore.BareUserOnly) && !sharedMode(f.st, &f.h) && !transaction.BeingWritten(fd)
}

// identify finds out what object an open file is to become. It becomes that when the
// whole tree is there: see [builder.adopt].
func (f *file) identify(fd int, result *taking) error {
	sum, held, err := f.tx.Identify(f.h, descriptor(fd))
	if err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return failure("fstat", f.name, err)
	}
	if stampOf(&st) != result.seen {
		return errChanged
	}
	if result.content = sum; !held {
		result.adopt = &f.h
	}
	return nil
}

// writeRegular makes an object of an open file, which it closes.
func (f *file) writeRegular(fd int) (object.Checksum, error) {
	if f.h.Size < large {
		defer unix.Close(fd)
		return f.tx.WriteContent(f.h, descriptor(fd))
	}
	opened := os.NewFile(uintptr(fd), f.name)
	defer opened.Close()
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
