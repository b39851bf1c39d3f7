package compose

import (
	"errors"

	"golang.org/x/sys/unix"
)

// errChanged says that a file is not what it was when it was looked at.
var errChanged = errors.New("it was changed while it was read")

// stamp tells whether a file is what it was.
type stamp struct {
	inode
	size             int64 // bytes
	changed, touched unix.Timespec
}

// stampOf leaves out when a file was touched that has several names: taking one of
// them away touches it.
func stampOf(st *unix.Stat_t) stamp {
	s := stamp{inode: inode{st.Dev, st.Ino}, size: st.Size, changed: st.Mtim}
	if st.Nlink == 1 {
		s.touched = st.Ctim
	}
	return s
}

// is reports whether st is the file of s, as it was. Names may have come or gone.
func (s stamp) is(st *unix.Stat_t) bool {
	now := stampOf(st)
	if s.touched == (unix.Timespec{}) || st.Nlink != 1 {
		s.touched, now.touched = unix.Timespec{}, unix.Timespec{}
	}
	return s == now
}
