package objstore

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// FileChecksum is the checksum that a file of the file system has as an object. Without xattrs it
// is that of a file that has none.
func FileChecksum(path string, xattrs bool) (sum object.Checksum, err error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return sum, &os.PathError{Op: "lstat", Path: path, Err: err}
	}
	h, err := FileHeader(path, &st, xattrs)
	if err != nil || h.Mode&unix.S_IFMT != unix.S_IFREG {
		return HeaderChecksum(h), err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	return ContentChecksum(h, f)
}

// FileHeader is what a file of the file system, of which st is known, would have beside its content
// as an object: also a directory, a device or a pipe.
func FileHeader(path string, st *unix.Stat_t, xattrs bool) (h object.Header, err error) {
	h = object.Header{UID: st.Uid, GID: st.Gid, Mode: st.Mode}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		h.Size = uint64(st.Size)
	case unix.S_IFLNK:
		if h.Target, err = os.Readlink(path); err != nil {
			return h, err
		}
	}
	if !xattrs {
		return h, nil
	}
	if h.Xattrs, err = linkXattrs(path).read(); err != nil {
		err = fmt.Errorf("%s: %w", path, describe(err))
	}
	return h, err
}

// HeaderChecksum is the checksum of an object that is its header alone: a directory, as a dirmeta, or
// a symbolic link, a device or a pipe.
func HeaderChecksum(h object.Header) object.Checksum {
	if h.Mode&unix.S_IFMT == unix.S_IFDIR {
		return sha256.Sum256(object.DirMeta{UID: h.UID, GID: h.GID, Mode: h.Mode, Xattrs: h.Xattrs}.Encode())
	}
	return sha256.Sum256(h.Hashed())
}

// ContentChecksum is the checksum of a regular file's object.
func ContentChecksum(h object.Header, content io.Reader) (sum object.Checksum, err error) {
	hash := sha256.New()
	hash.Write(h.Hashed())
	if _, err := io.Copy(hash, content); err != nil {
		return sum, err
	}
	return object.Checksum(hash.Sum(nil)), nil
}
