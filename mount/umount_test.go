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

func TestUnmount(t *testing.T) {
	needMounts(t)
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := errors.Join(os.Mkdir(target, 0o755), os.Symlink(target, link)); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", target, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	user, err := os.Create(filepath.Join(target, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer user.Close()

	err = Unmount(target, false)
	if !errors.Is(err, ErrBusy) || err.Error() != "unmount "+target+": is in use" {
		t.Errorf("in use: %v", err)
	}
	if !strings.Contains(hintOf(err), "`deployfs umount --lazy "+target+"`") {
		t.Errorf("hint %q", hintOf(err))
	}
	if err := Unmount(link, true); err != nil {
		t.Errorf("lazily, through a link: %v", err)
	}
	if err := Unmount(target, false); !errors.Is(err, ErrNotMounted) || err.Error() != "unmount "+target+": is not mounted" {
		t.Errorf("again: %v", err)
	}
	if err := Unmount(filepath.Join(dir, "absent"), true); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
}

// TestUnmountTop checks that only the topmost mount is taken.
func TestUnmountTop(t *testing.T) {
	needMounts(t)
	target := t.TempDir()
	for _, source := range []string{"below", "above"} {
		if err := unix.Mount(source, target, "tmpfs", 0, ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, source := range []string{"above", "below"} {
		if e, err := Lookup(target); err != nil || e.Source != source {
			t.Errorf("%+v, %v, want %s", e, err, source)
		}
		if err := Unmount(target, false); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUnmountHanging checks that a mount whose server does not answer can be
// unmounted without it.
func TestUnmountHanging(t *testing.T) {
	needFUSE(t)
	target, _ := mountTest(t, roleHang, Options{})
	done := make(chan error, 1)
	go func() { done <- Unmount(target, false) }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("waits for the server")
	}
}
