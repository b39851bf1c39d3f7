package objstore

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// FileChecksum is the checksum that a file of the file system has as an object: a directory as a
// dirmeta, anything else as content. Without xattrs it is that of a file that has none. A symbolic
// link is not followed, and a device or pipe not read.
func FileChecksum(path string, xattrs bool) (sum object.Checksum, err error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return sum, &os.PathError{Op: "lstat", Path: path, Err: err}
	}
	h := object.Header{UID: st.Uid, GID: st.Gid, Mode: st.Mode}
	if xattrs {
		if h.Xattrs, err = linkXattrs(path).read(); err != nil {
			return sum, fmt.Errorf("%s: %w", path, describe(err))
		}
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return sha256.Sum256(object.DirMeta{UID: h.UID, GID: h.GID, Mode: h.Mode, Xattrs: h.Xattrs}.Encode()), nil
	case unix.S_IFREG:
		return contentSum(&h, path)
	case unix.S_IFLNK:
		if h.Target, err = os.Readlink(path); err != nil {
			return sum, err
		}
	}
	return sha256.Sum256(h.Hashed()), nil
}

// contentSum is the checksum of a regular file.
func contentSum(h *object.Header, path string) (sum object.Checksum, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	hash := sha256.New()
	hash.Write(h.Hashed())
	if _, err := io.Copy(hash, f); err != nil {
		return sum, err
	}
	return object.Checksum(hash.Sum(nil)), nil
}
