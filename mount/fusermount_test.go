package mount

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// nobody is the user of the tests without privilege.
const nobody = 65534

// targetEnv tells the tests without privilege the directory that they may use.
const targetEnv = "DEPLOYFS_MOUNT_TARGET"

// TestHelper tests as an ordinary user, with a /dev/fuse that is open to users.
func TestHelper(t *testing.T) {
	if target, ok := os.LookupEnv(targetEnv); ok {
		t.Run("mount", func(t *testing.T) { testNobodyMounts(t, target) })
		t.Run("dead server", func(t *testing.T) { testNobodyDeadServer(t, target) })
		t.Run("refusals", func(t *testing.T) { testNobodyIsRefused(t, target) })
		t.Run("no fusermount3", func(t *testing.T) { testNobodyWithoutHelper(t, target) })
		return
	}
	needFUSE(t)
	if _, err := Fusermount(); err != nil {
		t.Skip("skipped:", err)
	}
	dir := publicDir(t)
	shareDevice(t, dir)
	runAsNobody(t, dir)
}

// TestHelperClosedDevice tests the same with a /dev/fuse that is for root only.
func TestHelperClosedDevice(t *testing.T) {
	if target, ok := os.LookupEnv(targetEnv); ok {
		_, err := FUSE(target, Options{})
		if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), fuseDevice) || !strings.Contains(hintOf(err), "chmod 666 /dev/fuse") {
			t.Errorf("got %v, hint %q", err, hintOf(err))
		}
		return
	}
	needFUSE(t)
	if info, err := os.Stat(fuseDevice); err != nil || info.Mode().Perm()&0o006 != 0 {
		t.Skip("skipped: /dev/fuse is open to users here")
	}
	if _, err := Fusermount(); err != nil {
		t.Skip("skipped:", err)
	}
	runAsNobody(t, publicDir(t))
}

// publicDir returns a directory that everybody can reach, with a copy of the
// test binary and a directory "target" that belongs to nobody.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "deployfs-mount")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	target := filepath.Join(dir, "target")
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(target, 0o755), os.Chown(target, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	binary, err := os.OpenFile(filepath.Join(dir, "test"), os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	if _, err := io.Copy(binary, self); err != nil {
		t.Fatal(err)
	}
	return dir
}

// shareDevice opens /dev/fuse to all users of this mount namespace, as udev
// does.
func shareDevice(t *testing.T, dir string) {
	t.Helper()
	node := filepath.Join(dir, "fuse")
	err := errors.Join(unix.Mknod(node, unix.S_IFCHR, int(unix.Mkdev(10, 229))), os.Chmod(node, 0o666))
	if err == nil {
		err = unix.Mount(node, fuseDevice, "", unix.MS_BIND, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(fuseDevice, unix.MNT_DETACH) })
}

// runAsNobody runs the calling test again, as nobody and by the copy in dir.
func runAsNobody(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(dir, "test"), "-test.v", "-test.run", "^"+t.Name()+"$")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), roleEnv + "=" + roleNobody, targetEnv + "=" + filepath.Join(dir, "target")}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: nobody, Gid: nobody},
		Pdeathsig:  syscall.SIGKILL,
	}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Error(err)
	}
}

func testNobodyMounts(t *testing.T, target string) {
	dev, err := FUSE(target, Options{Source: hostile, Subtype: `deploy,suid\fs`, MaxRead: 65536})
	if err != nil {
		t.Fatal(err, hintOf(err))
	}
	checkDescriptor(t, dev)
	server := startServer(t, dev, roleServer)
	defer Unmount(target, true)

	e, err := Lookup(target)
	if err != nil {
		t.Fatal(err)
	}
	if e.Source != hostile || e.Type != `fuse.deploy,suid\fs` {
		t.Errorf("source %q, type %q", e.Source, e.Type)
	}
	if e.Options != "ro,nosuid,nodev,relatime" ||
		e.SuperOptions != "ro,user_id=65534,group_id=65534,default_permissions,max_read=65536" {
		t.Errorf("options %s; of the filesystem %s", e.Options, e.SuperOptions)
	}
	user, err := os.Open(filepath.Join(target, greetingName))
	if err != nil {
		t.Fatal(err)
	}
	if err := Unmount(target, false); !errors.Is(err, ErrBusy) {
		t.Errorf("in use: %v, want ErrBusy", err)
	}
	user.Close()
	if err := Unmount(target, false); err != nil {
		t.Error(err, hintOf(err))
	}
	if err := Unmount(target, false); !errors.Is(err, ErrNotMounted) {
		t.Errorf("again: %v, want ErrNotMounted", err)
	}
	if !waitEnd(server) {
		t.Error("the server did not end with the mount")
	}
}

// testNobodyDeadServer checks that users get rid of a dead mount of their own.
func testNobodyDeadServer(t *testing.T, target string) {
	dev, err := FUSE(target, Options{})
	if err != nil {
		t.Fatal(err)
	}
	dev.Close()
	if err := CheckMountpoint(target, false); !errors.Is(err, ErrServerGone) {
		t.Errorf("check: %v, want ErrServerGone", err)
	}
	if err := Unmount(target, true); err != nil {
		t.Error(err)
	}
}

func testNobodyIsRefused(t *testing.T, target string) {
	conf, _ := os.ReadFile("/etc/fuse.conf")
	for _, test := range []struct {
		target string
		opts   Options
		want   string
		hint   string
		skip   bool
	}{
		{target, Options{AllowOther: true}, errAllowOther.Error(), "user_allow_other in /etc/fuse.conf",
			strings.Contains("\n"+string(conf), "\nuser_allow_other")},
		{"/etc", Options{}, "no write access to the mountpoint: permission denied", hintOwnTarget, false},
		{os.TempDir(), Options{}, "the mountpoint belongs to another user: permission denied", hintOwnTarget, false},
		{"/root/x", Options{}, "permission denied", "", false},
	} {
		if test.skip {
			t.Logf("skipped: %s", test.want)
			continue
		}
		dev, err := FUSE(test.target, test.opts)
		if err == nil {
			dev.Close()
			_ = Unmount(test.target, true)
			t.Fatalf("%s: mounted on %s", test.want, test.target)
		}
		if !strings.Contains(err.Error(), test.want) || !strings.Contains(hintOf(err), test.hint) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, hint %q, want %q and %q", test.target, err, hintOf(err), test.want, test.hint)
		}
	}
	if err := Unmount("/proc", false); !errors.Is(err, unix.EPERM) || hintOf(err) != hintOwnMount {
		t.Errorf("unmount of another's mount: %v, hint %q", err, hintOf(err))
	}
	if err := Overlay(target, target, target, "x"); !errors.Is(err, unix.EPERM) || hintOf(err) == "" {
		t.Errorf("overlay: %v, hint %q", err, hintOf(err))
	}
}

func testNobodyWithoutHelper(t *testing.T, target string) {
	t.Setenv("PATH", "")
	_, err := FUSE(target, Options{})
	if !errors.Is(err, errNoHelper) || !strings.Contains(hintOf(err), "fuse3") {
		t.Errorf("got %v, hint %q", err, hintOf(err))
	}
}

// TestHelperOptions checks that no value breaks out of its option.
func TestHelperOptions(t *testing.T) {
	got := Options{Source: `a,suid\,dev\`, Subtype: `b\,c`, AllowOther: true, NoExec: true}.helperOptions()
	want := `noexec,ro,nosuid,nodev,default_permissions,allow_other,fsname=a\,suid\\\,dev\\,subtype=b\\\,c`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestHelperError(t *testing.T) {
	cause := errors.New("exit status 1")
	for stderr, want := range map[string]string{
		"": "mount /x: exit status 1",
		"fusermount3: unknown parameter in /etc/fuse.conf\nfusermount3: something else\n": "mount /x: fusermount3: something else",
		"fusermount3: fuse device not found, try 'modprobe fuse' first\n":                 "mount /x: open /dev/fuse: no such file or directory",
	} {
		if got := helperError("mount", "/x", stderr, cause).Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestHelperSilent checks that a helper that succeeds without sending a
// descriptor, or fails, leaves nothing behind.
func TestHelperSilent(t *testing.T) {
	bin := t.TempDir()
	for script, want := range map[string]string{
		"exit 0": "descriptor from fusermount3: none was sent",
		"exit 3": "exit status 3",
	} {
		if err := os.WriteFile(filepath.Join(bin, "fusermount3"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", bin)
		_, err := helperMount(bin, Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", script, err, want)
		}
	}
}
