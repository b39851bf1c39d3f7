package compare

import (
	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// excludes reports whether it can be told without reading a file that it is not the object sum. That
// a file is a hard link of the object says nothing: it may have been written through any of its names.
func (d *Directory) excludes(sum object.Checksum, n Node) bool {
	if d.Repo == nil {
		return false
	}
	h, err := d.Repo.Stat(sum)
	return err == nil && d.differs(h, n) // else the file's own checksum will tell
}

// differs reports whether a file can't be an object with this header.
func (d *Directory) differs(h object.Header, n Node) bool {
	st := n.Stat
	regular := st.Mode&unix.S_IFMT == unix.S_IFREG
	switch {
	case st.Mode&unix.S_IFMT != h.Mode&object.ModeType, regular && uint64(st.Size) != h.Size:
		return true
	case d.Repo.Mode() == objstore.BareUserOnly: // which has lost what the checksum was made of
		return false
	}
	uid, gid := d.owner(n)
	return st.Mode != h.Mode || uid != h.UID || gid != h.GID
}

// owner is whose the file counts as.
func (d *Directory) owner(n Node) (uid, gid uint32) {
	uid, gid = n.Stat.Uid, n.Stat.Gid
	if d.UID >= 0 {
		uid = uint32(d.UID)
	}
	if d.GID >= 0 {
		gid = uint32(d.GID)
	}
	return uid, gid
}
