//go:build !race

package confine

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// versionEnv is the Landlock version that a role uses.
const versionEnv = "CONFINE_TEST_VERSION"

// useVersion is restricted by Landlock alone, of a version.
func useVersion(p place) (answers, error) {
	version, err := strconv.Atoi(os.Getenv(versionEnv))
	if err != nil {
		return nil, err
	}
	tcp, port, err := tcpListener()
	if err != nil {
		return nil, err
	}
	defer unix.Close(tcp)
	defer watch()()
	if err := everyThread(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0); err != nil {
		return nil, ErrThreads
	}
	rules := p.rules()
	used, err := restrictFiles(&rules, version)
	if err != nil {
		return nil, err
	}
	deeds := forbidden(p)
	deeds["connect"] = func() error {
		return socket(unix.AF_INET, unix.SOCK_STREAM, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	deeds["nameless"] = func() error { return nameless(p.in("cache"), p.in("cache/old/nameless")) }
	found := answers{"used": strconv.Itoa(used)}
	for _, what := range []string{"read outside", "write in repo", "truncate outside", "connect", "abstract socket", "signal the parent", "nameless"} {
		found[what] = errnoOf(deeds[what]())
	}
	return found, nil
}

// tcpListener listens at some port of the loopback device.
func tcpListener() (fd, port int, err error) {
	if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, 0, err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return -1, 0, err
	}
	if err := unix.Listen(fd, 1); err != nil {
		return -1, 0, err
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return -1, 0, err
	}
	return fd, name.(*unix.SockaddrInet4).Port, nil
}

// TestVersions uses what each version of Landlock has, as older kernels do.
func TestVersions(t *testing.T) {
	for version := range landlockVersion() + 1 {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			p := newPlace(t, os.Geteuid())
			from := func(first int, errno string) string {
				if version >= first {
					return errno
				}
				return "ok"
			}
			used := version
			if version < minVersion {
				used = 0
			}
			fd, err := listener("@" + string(p[len("/var/tmp/"):]))
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
			want := answers{
				"used": fmt.Sprint(used), "nameless": "ok", "read outside": from(2, "EACCES"), "write in repo": from(2, "EACCES"),
				"truncate outside": from(3, "EACCES"), "connect": from(4, "EACCES"),
				"abstract socket": from(6, "EPERM"), "signal the parent": from(6, "EPERM"),
			}
			want.compare(t, p.play(t, "version", os.Geteuid(), versionEnv+"="+strconv.Itoa(version)))
		})
	}
}

// TestUnusablePath leaves out what is not there, and fails when a rule can't be made.
func TestUnusablePath(t *testing.T) {
	set := ruleset{fd: -1, handles: toRead}
	for _, path := range []string{"/none", "/proc/self/exe/none", ""} {
		if err := set.allow(&Rules{Read: []string{path}}); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
	if err := set.allow(&Rules{Read: []string{"/"}}); errnoOf(err) != "EBADF" {
		t.Errorf("a rule without a ruleset: %v", err)
	}
}
