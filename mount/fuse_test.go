package mount

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// hostile is a source that tries to break out of everything that it is written
// to.
const hostile = "/repo\\,suid,allow_other,\\\\,fsname=x y\tz\n1 1 0:1 / / rw - fuse x rw\n#c0ffee\\"

// mountTest mounts a test server on a new directory.
func mountTest(t *testing.T, role string, opts Options) (target string, stopServer func()) {
	t.Helper()
	target = t.TempDir()
	dev, err := FUSE(target, opts)
	if err != nil {
		t.Fatal(err, hintOf(err))
	}
	server := startServer(t, dev, role)
	t.Cleanup(func() { _ = unix.Unmount(target, unix.MNT_DETACH) })
	return target, func() { stop(server) }
}

func TestFUSE(t *testing.T) {
	needFUSE(t)
	target, _ := mountTest(t, roleServer, Options{Source: hostile, Subtype: "deploy,fs", AllowOther: true, NoSuid: true, MaxRead: 65536})

	e, err := Lookup(target)
	if err != nil {
		t.Fatal(err)
	}
	if e.Source != hostile || e.Type != "fuse.deploy,fs" {
		t.Errorf("source %q, type %q", e.Source, e.Type)
	}
	if e.Options != "ro,nosuid,nodev,relatime" {
		t.Errorf("options %s", e.Options)
	}
	if e.SuperOptions != "ro,user_id=0,group_id=0,default_permissions,allow_other,max_read=65536" {
		t.Errorf("options of the filesystem %s", e.SuperOptions)
	}
	got, err := os.ReadFile(filepath.Join(target, greetingName))
	if err != nil || string(got) != greetingText {
		t.Errorf("read %q, %v", got, err)
	}
	if err := CheckMountpoint(target, true); !errors.Is(err, ErrMounted) || errors.Is(err, ErrServerGone) {
		t.Errorf("check of a live mount: %v, want ErrMounted", err)
	}
	if err := Unmount(target, false); err != nil {
		t.Error(err)
	}
	if _, err := Lookup(target); !errors.Is(err, ErrNotMounted) {
		t.Errorf("after unmounting: %v, want ErrNotMounted", err)
	}
}

// TestFUSEZero checks that the zero Options work.
func TestFUSEZero(t *testing.T) {
	needFUSE(t)
	target, _ := mountTest(t, roleServer, Options{})
	e, err := Lookup(target)
	if err != nil {
		t.Fatal(err)
	}
	if e.Source != "fuse" || e.Type != "fuse" || e.Options != "ro,nodev,relatime" {
		t.Errorf("%+v", e)
	}
}

func TestFUSEDescriptor(t *testing.T) {
	needFUSE(t)
	target := t.TempDir()
	dev, err := FUSE(target, Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkDescriptor(t, dev)
	dev.Close()
	if err := CheckMountpoint(target, false); !errors.Is(err, ErrServerGone) {
		t.Errorf("after closing the connection: %v, want ErrServerGone", err)
	}
	if err := Unmount(target, false); err != nil {
		t.Error(err)
	}
}

// checkDescriptor checks that the connection blocks and is closed on exec.
func checkDescriptor(t *testing.T, dev *os.File) {
	t.Helper()
	fd, err := unix.FcntlInt(dev.Fd(), unix.F_GETFD, 0)
	if err != nil || fd&unix.FD_CLOEXEC == 0 {
		t.Errorf("descriptor flags %#x, %v: not closed on exec", fd, err)
	}
	fl, err := unix.FcntlInt(dev.Fd(), unix.F_GETFL, 0)
	if err != nil || fl&unix.O_NONBLOCK != 0 || fl&unix.O_ACCMODE != unix.O_RDWR {
		t.Errorf("file flags %#x, %v", fl, err)
	}
}

func TestFUSEErrors(t *testing.T) {
	needFUSE(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		target string
		opts   Options
		want   string
	}{
		{filepath.Join(dir, "absent"), Options{}, "no such file or directory"},
		{file, Options{}, "not a directory"},
		{dir, Options{Source: "a\x00b"}, "NUL byte in the name of the source or type"},
		{dir, Options{Source: strings.Repeat("x", 4096)}, "name of the source is longer than 4095 bytes"},
	} {
		dev, err := FUSE(test.target, test.opts)
		if err == nil {
			dev.Close()
			t.Fatalf("%s: mounted", test.want)
		}
		if want := "mount " + test.target + ": " + test.want; err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if err := CheckMountpoint(dir, true); err != nil {
		t.Errorf("left behind: %v", err)
	}
}

// TestFUSELongSource checks the longest source that validate lets pass.
func TestFUSELongSource(t *testing.T) {
	needFUSE(t)
	long := strings.Repeat("#", 4095)
	target, _ := mountTest(t, roleServer, Options{Source: long})
	if e, err := Lookup(target); err != nil || e.Source != long {
		t.Errorf("source of %d bytes, %v", len(e.Source), err)
	}
}

func TestFUSENoDevice(t *testing.T) {
	needFUSE(t)
	target := t.TempDir()
	if err := unix.Mount("tmpfs", "/dev", "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	_, err := FUSE(target, Options{})
	if uerr := unix.Unmount("/dev", 0); uerr != nil {
		t.Fatal(uerr)
	}
	if !errors.Is(err, os.ErrNotExist) || err.Error() != "open /dev/fuse: no such file or directory" || hintOf(err) != hintDevice {
		t.Errorf("got %v, hint %q", err, hintOf(err))
	}
}

func TestServerKilled(t *testing.T) {
	needFUSE(t)
	target, kill := mountTest(t, roleServer, Options{})
	if _, err := os.Stat(filepath.Join(target, greetingName)); err != nil {
		t.Fatal(err)
	}
	kill()
	err := CheckMountpoint(target, false)
	if !errors.Is(err, ErrServerGone) || !strings.Contains(hintOf(err), "`deployfs umount "+target+"`") {
		t.Errorf("got %v, hint %q", err, hintOf(err))
	}
	if err := CheckMountpoint(filepath.Join(target, "below"), false); err == nil || !strings.Contains(err.Error(), "server has died") {
		t.Errorf("below a dead mount: %v", err)
	}
	if err := Unmount(target, false); err != nil {
		t.Error(err)
	}
}

// TestServerHangs checks that a mount whose server does not answer is named and
// taken away without waiting for it.
func TestServerHangs(t *testing.T) {
	needFUSE(t)
	target, _ := mountTest(t, roleHang, Options{})
	start := time.Now()
	if err := CheckMountpoint(target, false); !errors.Is(err, ErrMounted) {
		t.Errorf("check: %v, want ErrMounted", err)
	}
	e, err := Lookup(target)
	if err != nil {
		t.Fatal(err)
	}
	if number, ok := e.Connection(); !ok || number != e.Dev.Minor {
		t.Errorf("connection %d, %v", number, ok)
	}
	if err := Unmount(target, true); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 5*probeTime {
		t.Errorf("took %v", took)
	}
}

func TestSetReadAhead(t *testing.T) {
	needFUSE(t)
	target, _ := mountTest(t, roleServer, Options{})
	e, err := Lookup(target)
	if err != nil {
		t.Fatal(err)
	}
	if err := SetReadAhead(e.Dev, 1024); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("/sys/class/bdi/" + e.Dev.String() + "/read_ahead_kb")
	if err != nil || strings.TrimSpace(string(got)) != "1024" {
		t.Errorf("read-ahead is %q, %v", got, err)
	}
	if err := SetReadAhead(Dev{0, 1 << 20}, 1024); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent device: %v", err)
	}
}
