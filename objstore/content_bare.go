package objstore

import (
	"bytes"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// statBare reads owner, mode, size and target of a content object in the modes
// bare, bare-user-only and bare-split-xattrs, where the object file has them itself.
func (r *Repo) statBare(path string) (h object.Header, err error) {
	var st unix.Stat_t
	err = uninterrupted(func() error {
		return unix.Fstatat(int(r.objects.Fd()), path, &st, unix.AT_SYMLINK_NOFOLLOW)
	})
	if err != nil {
		return h, err
	}
	return r.bareHeader(path, &st)
}

func (r *Repo) bareHeader(path string, st *unix.Stat_t) (h object.Header, err error) {
	h = object.Header{UID: st.Uid, GID: st.Gid, Mode: st.Mode}
	if r.mode == BareUserOnly {
		h.UID, h.GID = 0, 0
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		h.Size = uint64(st.Size)
	case unix.S_IFLNK:
		target := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(int(r.objects.Fd()), path, target)
		if err != nil {
			return h, err
		}
		h.Target = string(target[:n])
	default:
		return h, damaged("%w", errNotRegular)
	}
	if err := h.Check(); err != nil {
		return h, damaged("%w", err)
	}
	return h, nil
}

// openBare opens a content object in the same modes.
func (r *Repo) openBare(path string) (*Content, error) {
	f, st, err := openRegular(r.objects, path)
	if err == unix.ELOOP {
		return r.openBareSymlink(path)
	}
	if err != nil {
		return nil, err
	}
	c := &Content{src: f, plain: f, close: f.Close}
	if c.Header, err = r.bareHeader(path, st); err == nil {
		c.Header.Xattrs, err = r.bareXattrs(path, fdXattrs(f))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return c, nil
}

func (r *Repo) openBareSymlink(path string) (*Content, error) {
	h, err := r.bareWholeHeader(path)
	if err != nil {
		return nil, err
	}
	return &Content{Header: h, src: bytes.NewReader(nil), close: func() error { return nil }}, nil
}

// bareWholeHeader reads a header without opening the object.
func (r *Repo) bareWholeHeader(path string) (h object.Header, err error) {
	if h, err = r.statBare(path); err == nil {
		h.Xattrs, err = r.bareXattrs(path, pathXattrs(r.objects, path))
	}
	return h, err
}

// bareXattrs reads the xattrs of the object file at path, where its mode keeps them.
func (r *Repo) bareXattrs(path string, src xattrSource) ([]object.Xattr, error) {
	switch {
	case !r.HasXattrs():
		return nil, nil
	case r.mode == BareSplitXattrs:
		return r.splitXattrs(strings.TrimSuffix(path, ".file") + ".file-xattrs-link")
	}
	return src.read()
}

func (r *Repo) splitXattrs(path string) ([]object.Xattr, error) {
	data, err := readFileAt(r.objects, path, object.MaxHeader)
	if err == unix.ENOENT {
		return nil, damaged("%s is missing", path)
	}
	if err != nil {
		return nil, err
	}
	list, err := object.DecodeXattrs(data)
	if err != nil {
		return nil, damaged("%s: %w", path, err)
	}
	return list, nil
}

// openBareUser opens a content object in mode bare-user: a regular file whose
// xattr user.ostreemeta tells what it stands for.
func openBareUser(objects *os.File, path string) (*Content, error) {
	f, st, err := openRegular(objects, path)
	if err != nil {
		return nil, err
	}
	c := &Content{src: f, plain: f, close: f.Close}
	if err := c.readUserMeta(f, st.Size); err != nil {
		f.Close()
		return nil, err
	}
	return c, nil
}

// statBareUser reads the header of a content object in mode bare-user, and opens it only for the target
// of a symbolic link.
func (r *Repo) statBareUser(path string) (h object.Header, err error) {
	var st unix.Stat_t
	err = uninterrupted(func() error {
		return unix.Fstatat(int(r.objects.Fd()), path, &st, unix.AT_SYMLINK_NOFOLLOW)
	})
	switch {
	case err != nil:
		return h, err
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return h, errNotRegular
	}
	src := pathXattrs(r.objects, path)
	h, err = userMeta(func(dest []byte) (int, error) { return src.get(userMetaName, dest) })
	if err != nil {
		return h, err
	}
	if h.IsSymlink() {
		return r.wholeHeader(path)
	}
	h.Size = uint64(st.Size)
	if err := h.Check(); err != nil {
		return h, damaged("%w", err)
	}
	return h, nil
}

// userMetaName is the xattr that tells what a file stands for in mode bare-user.
const userMetaName = "user.ostreemeta"

// userMeta decodes what get reads.
func userMeta(get func(dest []byte) (int, error)) (h object.Header, err error) {
	data, err := growing(get)
	if err == unix.ENODATA {
		return h, damaged("no xattr %s", userMetaName)
	}
	if err != nil {
		return h, err
	}
	if h, err = object.DecodeUserMeta(data); err != nil {
		err = damaged("%s: %w", userMetaName, err)
	}
	return h, err
}

func (c *Content) readUserMeta(f *os.File, size int64) error {
	var err error
	c.Header, err = userMeta(func(dest []byte) (int, error) { return unix.Fgetxattr(int(f.Fd()), userMetaName, dest) })
	if err != nil {
		return err
	}
	if !c.Header.IsSymlink() {
		c.Header.Size = uint64(size)
	} else if err := c.readUserTarget(f); err != nil {
		return err
	}
	if err := c.Header.Check(); err != nil {
		return damaged("%w", err)
	}
	return nil
}

// readUserTarget takes a symlink's target from the object's content, where a
// NUL may end it.
func (c *Content) readUserTarget(f *os.File) error {
	target, err := io.ReadAll(io.LimitReader(f, unix.PathMax+1))
	if err != nil {
		return err
	}
	if end := bytes.IndexByte(target, 0); end >= 0 {
		target = target[:end]
	}
	c.Header.Target = string(target)
	c.src, c.plain = bytes.NewReader(nil), nil
	return nil
}
