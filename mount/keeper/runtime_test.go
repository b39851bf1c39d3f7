package keeper

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// asUser runs the rest of a test without root's rights, in a directory that the
// user owns; tests of other users have them already.
func asUser(t *testing.T) (home string) {
	t.Helper()
	home = t.TempDir()
	if os.Geteuid() != 0 {
		return home
	}
	const nobody = 65534
	if err := os.Chown(home, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(home); strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Seteuid(nobody); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Seteuid(0); err != nil {
			panic(err)
		}
	})
	return home
}

// TestRuntimeDir is a directory of the user's own, which nobody else can write to.
func TestRuntimeDir(t *testing.T) {
	home := asUser(t)
	t.Setenv("XDG_RUNTIME_DIR", home+"/run")
	want := home + "/run/deployfs"
	for range 2 {
		if dir, err := RuntimeDir(); err != nil || dir != want {
			t.Fatalf("%s, %v, want %s", dir, err, want)
		}
	}
	if info, err := os.Stat(want); err != nil || info.Mode() != os.ModeDir|0o700 {
		t.Errorf("%v, %v", info, err)
	}
	for what, spoil := range map[string]func() error{
		"written by the group": func() error { return os.Chmod(want, 0o770) },
		"written by all":       func() error { return os.Chmod(want, 0o702) },
		"a link":               func() error { return os.Symlink(home, want) },
		"somebody else's":      func() error { return os.Symlink("/", want) },
		"a file":               func() error { return os.WriteFile(want, nil, 0o600) },
	} {
		if err := os.RemoveAll(want); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(what, "written") {
			if err := os.Mkdir(want, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if dir, err := RuntimeDir(); err == nil {
			t.Errorf("%s: %s", what, dir)
		}
		if _, _, err := listen(); err == nil {
			t.Errorf("%s: listens", what)
		}
		if _, err := Ask(); err == nil {
			t.Errorf("%s: asks", what)
		}
	}
	t.Setenv("XDG_RUNTIME_DIR", home+"/"+strings.Repeat("long", 30))
	if _, _, err := listen(); err == nil || !strings.HasPrefix(err.Error(), "control socket: ") {
		t.Errorf("a path too long for a socket: %v", err)
	}
}

// TestDirsWithoutXDG fall back to the directory for temporary files.
func TestDirsWithoutXDG(t *testing.T) {
	home := asUser(t)
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", home)
	if dir, err := RuntimeDir(); err != nil || filepath.Dir(dir) != home || !strings.HasPrefix(filepath.Base(dir), "deployfs-") {
		t.Errorf("runtime directory %s, %v", dir, err)
	}
}

// TestRootDir is the machine's.
func TestRootDir(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("skipped: needs root")
	}
	if dir := private(t); dir != "/run/deployfs" {
		t.Errorf("runtime directory %s", dir)
	}
}
