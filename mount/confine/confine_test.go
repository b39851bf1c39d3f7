//go:build !race

package confine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// serve is confined as a server, and tries.
func serve(p place) (answers, error) {
	before, err := os.OpenFile(p.in("outside/open"), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	log, err := connected(p.in("run/log"))
	if err != nil {
		return nil, err
	}
	report, err := Apply(p.rules())
	if err != nil {
		return nil, err
	}
	found := try(forbidden(p))
	for what, answer := range try(allowed(p, before, log)) {
		found[what] = answer
	}
	found["report"] = report.String()
	return found, nil
}

func forbidden(p place) map[string]func() error {
	abstract := &unix.SockaddrUnix{Name: "@" + filepath.Base(string(p))}
	return map[string]func() error{
		"read outside":       func() error { return read(p.in("outside/file")) },
		"read the host":      func() error { return read("/etc/passwd") },
		"read a process":     func() error { return read("/proc/self/status") },
		"list outside":       func() error { return list(p.in("outside")) },
		"write outside":      func() error { return open(p.in("outside/file"), os.O_WRONLY) },
		"truncate outside":   func() error { return os.Truncate(p.in("outside/file"), 0) },
		"create in repo":     func() error { return open(p.in("repo/new"), os.O_WRONLY|os.O_CREATE) },
		"write in repo":      func() error { return open(p.in("repo/object"), os.O_WRONLY) },
		"remove in repo":     func() error { return os.Remove(p.in("repo/object")) },
		"rename out of repo": func() error { return os.Rename(p.in("repo/object"), p.in("cache/object")) },
		"link out of repo":   func() error { return os.Link(p.in("repo/object"), p.in("cache/object")) },
		"make a device":      func() error { return unix.Mknod(p.in("cache/device"), unix.S_IFCHR|0o600, 0) },
		"make a socket":      func() error { return unix.Mknod(p.in("cache/socket"), unix.S_IFSOCK|0o600, 0) },
		"chmod outside":      func() error { return unix.Chmod(p.in("outside/file"), 0o666) },
		"chown outside":      func() error { return unix.Fchownat(unix.AT_FDCWD, p.in("outside/file"), -1, -1, 0) },
		"set an attribute":   func() error { return unix.Setxattr(p.in("repo/object"), "user.x", []byte("x"), 0) },
		"touch outside":      func() error { return unix.UtimesNanoAt(unix.AT_FDCWD, p.in("outside/file"), nil, 0) },
		"run another":        func() error { return exec.Command("/bin/true").Run() },
		"run from cache":     func() error { return unix.Exec(p.in("cache/program"), []string{"x"}, nil) },

		"mount":             func() error { return unix.Mount("none", p.in("cache"), "tmpfs", 0, "") },
		"unmount":           func() error { return unix.Unmount(string(p), 0) },
		"unshare":           func() error { return unix.Unshare(unix.CLONE_NEWUSER) },
		"clone a namespace": func() error { return clone(unix.CLONE_NEWUSER) },
		"chroot":            func() error { return unix.Chroot(p.in("cache")) },
		"ptrace":            func() error { return unix.PtraceAttach(os.Getppid()) },
		"TCP":               func() error { return socket(unix.AF_INET, unix.SOCK_STREAM, &unix.SockaddrInet4{Port: 9}) },
		"UDP":               func() error { return socket(unix.AF_INET6, unix.SOCK_DGRAM, &unix.SockaddrInet6{Port: 9}) },
		"a socket's path":   func() error { return socket(unix.AF_UNIX, unix.SOCK_STREAM, &unix.SockaddrUnix{Name: p.in("run/log")}) },
		"executable memory": execute,
		"raise":             func() error { return raise(unix.CAP_SYS_ADMIN) },
		"become root":       func() error { return syscall.Setreuid(1, 0) },
		"bind a name":       func() error { _, err := listener(p.in("cache/listener")); return err },
		"abstract socket":   func() error { return socket(unix.AF_UNIX, unix.SOCK_STREAM, abstract) },
		"signal the parent": func() error { return unix.Kill(os.Getppid(), 0) },
		"slow the parent":   func() error { return unix.Setpriority(unix.PRIO_PROCESS, os.Getppid(), 19) },
	}
}

func allowed(p place, before *os.File, log int) map[string]func() error {
	return map[string]func() error{
		"read":              func() error { return read(p.in("repo/object")) },
		"list":              func() error { return list(p.in("repo")) },
		"what is open":      func() error { _, err := before.WriteAt([]byte("more"), 0); return err },
		"/dev/null":         func() error { return errors.Join(read(os.DevNull), open(os.DevNull, os.O_WRONLY)) },
		"stat outside":      func() error { return unix.Stat(p.in("outside/file"), new(unix.Stat_t)) },
		"create":            func() error { return open(p.in("cache/new"), os.O_RDWR|os.O_CREATE|os.O_EXCL) },
		"make a directory":  func() error { return os.Mkdir(p.in("cache/00"), 0o700) },
		"symlink":           func() error { return os.Symlink("file", p.in("cache/link")) },
		"nameless":          func() error { return nameless(p.in("cache"), p.in("cache/old/nameless")) },
		"replace":           func() error { return replace(p.in("cache"), p.in("cache/words")) },
		"share":             func() error { return share(p.in("cache/old/file")) },
		"remove":            func() error { return os.Remove(p.in("run/socket")) },
		"memory":            func() error { _, err := unix.MemfdCreate("inflated", unix.MFD_CLOEXEC); return err },
		"what is connected": func() error { _, err := unix.Write(log, []byte("more")); return err },
		"be nice":           func() error { return unix.Setpriority(unix.PRIO_PROCESS, 0, 10) },
		"run this":          descend,
		"end a child":       endChild,
		"signal oneself":    func() error { return unix.Tgkill(os.Getpid(), unix.Gettid(), 0) },
	}
}

// TestApply confines a process as a server is, and tries what it may and what
// it may not.
func TestApply(t *testing.T) {
	if v := landlockVersion(); v < 6 {
		t.Skipf("cannot run: the kernel's Landlock is of version %d, it takes 6 (Linux 6.12) to forbid all of it", v)
	}
	for _, uid := range users() {
		t.Run(fmt.Sprint("uid ", uid), func(t *testing.T) {
			p := newPlace(t, uid)
			fd, err := listener("@" + filepath.Base(string(p)))
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
			found := p.play(t, "server", uid)
			want := wantAllowed(p)
			for what, answer := range wantForbidden() {
				want[what] = answer
			}
			want.compare(t, found)
			if v := landlockVersion(); found["report"] != fmt.Sprintf("landlock(%d) caps seccomp", v) {
				t.Errorf("report: %s", found["report"])
			}
		})
	}
}

func wantAllowed(p place) answers {
	want := answers{}
	for what := range allowed(p, nil, -1) {
		want[what] = "ok"
	}
	return want
}

func wantForbidden() answers {
	want := answers{}
	for what := range forbidden("") {
		want[what] = "EPERM"
	}
	for _, what := range []string{
		"read outside", "read the host", "read a process", "list outside", "write outside", "truncate outside", "create in repo", "write in repo",
		"remove in repo", "make a device", "make a socket", "bind a name", "run another", "run from cache",
	} {
		want[what] = "EACCES"
	}
	// Between directories that may not do the same, as between file systems.
	want["rename out of repo"], want["link out of repo"] = "EACCES", "EXDEV"
	return want
}

// TestWithoutConfinement makes sure that the deeds fail for want of permission,
// and not of something else: unconfined, root can do them.
func TestWithoutConfinement(t *testing.T) {
	p := newPlace(t, os.Geteuid())
	deeds := forbidden(p)
	for _, what := range []string{
		"read outside", "read the host", "read a process", "list outside", "write outside", "truncate outside", "create in repo", "write in repo",
		"chmod outside", "chown outside", "touch outside", "make a socket", "run another", "executable memory", "link out of repo",
	} {
		if err := deeds[what](); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}
