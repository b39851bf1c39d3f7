package tests

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestEveryWriteIsRefused tries every system call that changes something.
func TestEveryWriteIsRefused(t *testing.T) {
	repo := sharedRepo(t, "bare", "plain")
	dir := mounted(t, "--repo="+repo, "plain")
	before := snapshot(t, dir)
	file, sub, link, fresh := dir+"/usr/share/doc/README", dir+"/var/empty", dir+"/bin", dir+"/usr/new"
	open := func(path string, flags int) error {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o644)
		if err == nil {
			unix.Close(fd)
		}
		return err
	}
	times := []unix.Timespec{{Sec: 1}, {Sec: 2}}
	for what, do := range map[string]func() error{
		"open for writing":   func() error { return open(file, unix.O_WRONLY) },
		"open read-write":    func() error { return open(file, unix.O_RDWR) },
		"open append":        func() error { return open(file, unix.O_WRONLY|unix.O_APPEND) },
		"open truncating":    func() error { return open(file, unix.O_RDONLY|unix.O_TRUNC) },
		"create":             func() error { return open(fresh, unix.O_WRONLY|unix.O_CREAT) },
		"create exclusively": func() error { return open(fresh, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL) },
		"O_TMPFILE":          func() error { return open(sub, unix.O_RDWR|unix.O_TMPFILE) },
		"mkdir":              func() error { return unix.Mkdir(fresh, 0o755) },
		"rmdir":              func() error { return unix.Rmdir(sub) },
		"unlink":             func() error { return unix.Unlink(file) },
		"rename":             func() error { return unix.Rename(file, fresh) },
		"rename over":        func() error { return unix.Rename(file, dir+"/usr/share/doc/empty") },
		"exchange":           func() error { return unix.Renameat2(-1, file, -1, dir+"/usr/bin/tool", unix.RENAME_EXCHANGE) },
		"link":               func() error { return unix.Link(file, fresh) },
		"symlink":            func() error { return unix.Symlink("x", fresh) },
		"mknod":              func() error { return unix.Mknod(fresh, unix.S_IFCHR|0o600, 0x103) },
		"mkfifo":             func() error { return unix.Mkfifo(fresh, 0o600) },
		"chmod":              func() error { return unix.Chmod(file, 0o600) },
		"chmod of a dir":     func() error { return unix.Chmod(sub, 0o700) },
		"chown":              func() error { return unix.Chown(file, 1, 1) },
		"lchown":             func() error { return unix.Lchown(link, 1, 1) },
		"utimes":             func() error { return unix.UtimesNanoAt(unix.AT_FDCWD, file, times, 0) },
		"utimes of a link":   func() error { return unix.UtimesNanoAt(unix.AT_FDCWD, link, times, unix.AT_SYMLINK_NOFOLLOW) },
		"truncate":           func() error { return unix.Truncate(file, 0) },
		"setxattr":           func() error { return unix.Setxattr(file, "user.a", []byte("b"), 0) },
		"lsetxattr":          func() error { return unix.Lsetxattr(link, "trusted.a", []byte("b"), 0) },
		"setxattr of an ACL": func() error { return unix.Setxattr(file, aclAccess, []byte(acl(6, aclGroupObj(0), aclOther(0))), 0) },
		"removexattr":        func() error { return unix.Removexattr(file, "user.a") },
		"at the root":        func() error { return unix.Mkdir(dir+"/new", 0o755) },
	} {
		wantErrno(t, what, do(), unix.EROFS)
	}
	same(t, before, snapshot(t, dir))
}

// TestReadOnlyDescriptor checks calls on a descriptor that was opened for reading.
func TestReadOnlyDescriptor(t *testing.T) {
	dir := mounted(t, "--repo="+sharedRepo(t, "archive", "plain"), "plain")
	f, err := os.Open(dir + "/usr/bin/tool")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fd := int(f.Fd())
	wantErrno(t, "fchmod", unix.Fchmod(fd, 0o600), unix.EROFS)
	wantErrno(t, "fchown", unix.Fchown(fd, 1, 1), unix.EROFS)
	wantErrno(t, "fsetxattr", unix.Fsetxattr(fd, "user.a", []byte("b"), 0), unix.EROFS)
	wantErrno(t, "futimens", unix.Futimes(fd, []unix.Timeval{{}, {}}), unix.EROFS)
	if _, err := unix.Write(fd, []byte("x")); err != unix.EBADF {
		t.Errorf("write: %v, want %v", err, unix.EBADF)
	}
	if err := unix.Ftruncate(fd, 0); err != unix.EINVAL {
		t.Errorf("ftruncate: %v, want %v", err, unix.EINVAL)
	}
	if err := unix.Fallocate(fd, 0, 0, 1<<20); err != unix.EBADF {
		t.Errorf("fallocate: %v, want %v", err, unix.EBADF)
	}
	if err := unix.Fsync(fd); err != nil && err != unix.EROFS {
		t.Errorf("fsync: %v", err)
	}
	if _, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != unix.EACCES {
		t.Errorf("writable shared mapping: %v, want %v", err, unix.EACCES)
	}
	if m, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE); err != nil {
		t.Errorf("private mapping: %v", err)
	} else {
		m[0]++
		unix.Munmap(m)
	}
}
