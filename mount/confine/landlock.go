package confine

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What is allowed below a path. See landlock(7).
const (
	toRead  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	toWrite = toRead | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_REFER |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_SYM

	// ofFile is what can be said of a file that is no directory.
	ofFile = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
)

const (
	// minVersion is the first that lets a file be linked into another directory,
	// which the cache needs: that of Linux 5.19.
	minVersion = 2
	// maxVersion is the last that is known here, of Linux 6.15.
	maxVersion = 7
	// signalFix is the erratum after which threads of one process may signal each
	// other whatever their restrictions, as the Go runtime does.
	signalFix = 1 << 1
)

// landlockVersion is how much the kernel's Landlock can do; 0 where there is none.
func landlockVersion() int {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return min(int(version), maxVersion)
}

// restrictFiles leaves the process those files and ports of TCP that rules name. It
// returns the version that was used.
func restrictFiles(rules *Rules, version int) (used int, err error) {
	if version < minVersion {
		return 0, nil
	}
	attr := handled(rules, version)
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return 0, errno
	}
	set := ruleset{int(fd), attr.Handled_access_fs, attr.Handled_access_net != 0}
	defer unix.Close(set.fd)
	if err := set.allow(rules); err != nil {
		return 0, err
	}
	if err := everyThread(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); err != nil {
		return 0, err
	}
	return version, nil
}

// handled is what is forbidden unless a rule allows it: all that a version knows.
func handled(rules *Rules, version int) (attr unix.LandlockRulesetAttr) {
	attr.Handled_access_fs = unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1 // the last of the first version
	attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	if version >= 3 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if version >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if version >= 5 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if version < 6 {
		return attr
	}
	if !rules.Connect {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
	}
	if fixed, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_ERRATA); errno == 0 && fixed&signalFix != 0 {
		attr.Scoped |= unix.LANDLOCK_SCOPE_SIGNAL
	}
	return attr
}

// ruleset is what is going to be allowed, of what it handles.
type ruleset struct {
	fd      int
	handles uint64
	net     bool // it handles TCP
}

func (s ruleset) allow(rules *Rules) error {
	for _, group := range []struct {
		paths  []string
		follow int
		access uint64
	}{
		{rules.Read, 0, toRead},
		{rules.Write, unix.O_NOFOLLOW, toWrite},
		{rules.Remove, unix.O_NOFOLLOW, unix.LANDLOCK_ACCESS_FS_REMOVE_FILE},
		{[]string{rules.Execute}, 0, unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE},
	} {
		for _, path := range group.paths {
			if err := s.below(path, group.follow, group.access); err != nil {
				return fmt.Errorf("rule for %q: %w", path, err)
			}
		}
	}
	for _, port := range rules.Ports {
		if err := s.connect(port); err != nil {
			return fmt.Errorf("rule for port %d: %w", port, err)
		}
	}
	return nil
}

// connect allows to connect to a port of TCP, if that is handled.
func (s ruleset) connect(port uint16) error {
	if !s.net {
		return nil
	}
	rule := netPortAttr{access: unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, port: uint64(port)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(s.fd), ruleNetPort, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// ruleNetPort and netPortAttr are LANDLOCK_RULE_NET_PORT and its attribute.
const ruleNetPort = 2

type netPortAttr struct{ access, port uint64 }

// below allows access at path and below. At a link that is not followed that is
// to no avail.
func (s ruleset) below(path string, follow int, access uint64) error {
	at, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC|follow, 0)
	if err != nil {
		return nil // it could not be opened later either; an empty path, too
	}
	defer unix.Close(at)
	var st unix.Stat_t
	if err := unix.Fstat(at, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= ofFile
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access & s.handles, Parent_fd: int32(at)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(s.fd), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
