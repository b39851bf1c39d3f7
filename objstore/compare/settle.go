package compare

import (
	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// settles tells whether a file is the object sum, where that can be told without reading the file.
func (d *Directory) settles(sum object.Checksum, n Node) (same, known bool) {
	if d.Repo == nil {
		return false, false
	}
	if d.Known != nil && d.isLink(sum, n) {
		return true, true
	}
	h, err := d.Repo.Stat(sum)
	if err != nil {
		return false, false // the file's own checksum will tell
	}
	return false, d.differs(h, n)
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

// isLink reports whether a file is a hard link of the object sum, with the same owner and xattrs as
// the object has. A file that was written since it became an object is not: objects have no time.
func (d *Directory) isLink(sum object.Checksum, n Node) bool {
	if n.Stat.Nlink < 2 || n.Stat.Mtim.Nano() != 0 {
		return false
	}
	uid, gid := d.owner(n)
	for r := d.Repo; r != nil; r = r.Parent() {
		switch r.Mode() {
		case objstore.Bare:
			if !r.HasXattrs() || d.NoXattrs || uid != n.Stat.Uid || gid != n.Stat.Gid {
				continue
			}
		case objstore.BareUserOnly:
			if uid != 0 || gid != 0 || !d.NoXattrs {
				continue
			}
		default:
			continue
		}
		var st unix.Stat_t
		objects, path := r.ObjectFile(object.Name{Checksum: sum, Kind: object.KindFile})
		if unix.Fstatat(int(objects.Fd()), path, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Dev == n.Stat.Dev && st.Ino == n.Stat.Ino {
			return true
		}
	}
	return false
}
