package mount

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// overlayTest mounts a test server on dir/lower and an overlay of it on target,
// as a command would, and takes dir/lower away.
func overlayTest(t *testing.T, dir, target string) (server *exec.Cmd) {
	t.Helper()
	if err := Bind(dir, "A"); err != nil {
		t.Fatal(err)
	}
	lower, err := LowerDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	dev, err := FUSE(lower, Options{Source: "lower", NoSuid: true, AllowOther: true})
	if err != nil {
		t.Fatal(err)
	}
	server = startServer(t, dev, roleServer)
	err = Overlay(lower, dir, target, hostile)
	if uerr := Unmount(lower, true); uerr != nil {
		t.Fatal(uerr)
	}
	if err != nil {
		t.Fatal(err, hintOf(err))
	}
	t.Cleanup(func() { _ = unix.Unmount(target, unix.MNT_DETACH) })
	return server
}

// TestOverlay checks that an overlay lives without the mount of its lower
// directory, that unmounting it ends the server, and that what was written is
// there the next time.
func TestOverlay(t *testing.T) {
	needFUSE(t)
	parent := t.TempDir()
	dir, target := filepath.Join(parent, `a:b,c\d e`), filepath.Join(parent, "target")
	if err := os.Mkdir(target, 0o755); err != nil {
		t.Fatal(err)
	}
	for round, want := range []string{greetingText, "changed"} {
		server := overlayTest(t, dir, target)
		checkOverlay(t, target)
		file := filepath.Join(target, greetingName)
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("round %d: read %q, %v, want %q", round, got, err, want)
		}
		if err := os.WriteFile(file, []byte("changed"), 0o644); err != nil {
			t.Error(err)
		}
		if err := Unmount(target, false); err != nil {
			t.Fatal(err)
		}
		if !waitEnd(server) {
			t.Fatal("the server did not end with the overlay")
		}
	}
	if err := CheckMountpoint(filepath.Join(dir, lowerName), false); err != nil {
		t.Error(err)
	}
}

// checkOverlay checks the mount table and the attributes of the root.
func checkOverlay(t *testing.T, target string) {
	t.Helper()
	e, err := Lookup(target)
	if err != nil {
		t.Fatal(err)
	}
	if e.Type != "overlay" || e.Source != hostile || e.Options != "rw,nosuid,nodev,relatime" {
		t.Errorf("%+v", e)
	}
	var st unix.Stat_t
	if err := unix.Stat(target, &st); err != nil {
		t.Fatal(err)
	}
	if st.Mode != unix.S_IFDIR|rootMode || st.Uid != rootUID || st.Gid != rootGID || st.Mtim != (unix.Timespec{Sec: rootTime}) {
		t.Errorf("root has mode %o, owner %d:%d, time %v", st.Mode, st.Uid, st.Gid, st.Mtim)
	}
	for name, want := range rootXattrs {
		buf := make([]byte, 100)
		n, err := unix.Getxattr(target, name, buf)
		if err != nil || string(buf[:n]) != want {
			t.Errorf("%s is %q, %v", name, buf[:max(n, 0)], err)
		}
	}
}

// TestOverlayTwice checks that two overlays never write to one directory.
func TestOverlayTwice(t *testing.T) {
	needFUSE(t)
	parent := t.TempDir()
	dir, target := filepath.Join(parent, "a,b"), filepath.Join(parent, "target")
	if err := os.Mkdir(target, 0o755); err != nil {
		t.Fatal(err)
	}
	overlayTest(t, dir, target)
	err := Overlay(t.TempDir(), dir, t.TempDir(), "x")
	if !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), target) {
		t.Errorf("second overlay: %v, want ErrBusy and the first target", err)
	}
}

// TestOverlayByData checks the way for older kernels, whose options are one
// string. A long source needs it with every kernel.
func TestOverlayByData(t *testing.T) {
	needMounts(t)
	lower := filepath.Join(t.TempDir(), `l:o,w\er\\`)
	dir := filepath.Join(t.TempDir(), `d:i,r\`)
	target := t.TempDir()
	if err := errors.Join(os.Mkdir(lower, 0o755), os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(lower, "file"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	source := hostile + strings.Repeat("x", 256)
	if err := Overlay(lower, dir, target, source); err != nil {
		t.Fatal(err, hintOf(err))
	}
	defer unix.Unmount(target, unix.MNT_DETACH)
	if err := os.Rename(filepath.Join(target, "file"), filepath.Join(target, "renamed")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, upperName, "renamed")); err != nil {
		t.Error(err)
	}
	if e, err := Lookup(target); err != nil || e.Source != source {
		t.Errorf("source %q, %v", e.Source, err)
	}
	if err := Overlay(lower, dir, t.TempDir(), source); !errors.Is(err, ErrBusy) {
		t.Errorf("second overlay: %v, want ErrBusy", err)
	}
}

func TestOverlayErrors(t *testing.T) {
	needMounts(t)
	dir, target, absent := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "absent")
	for _, args := range [][3]string{{absent, dir, target}, {dir, absent, target}, {dir, dir, absent}} {
		err := Overlay(args[0], args[1], args[2], "x")
		if !errors.Is(err, os.ErrNotExist) || err.Error() != "overlay "+absent+": no such file or directory" {
			t.Errorf("%q: %v", args, err)
		}
	}

	// The kernel accepts no overlay as the upper filesystem of another.
	base := t.TempDir()
	if err := Overlay(base, dir, target, "x"); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(target, unix.MNT_DETACH)
	inner := filepath.Join(target, "inner")
	if err := os.Mkdir(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	err := Overlay(base, inner, t.TempDir(), "x")
	if !errors.Is(err, unix.EINVAL) || !strings.Contains(hintOf(err), "itself no overlay") {
		t.Errorf("over an overlay: %v, hint %q", err, hintOf(err))
	}
}
