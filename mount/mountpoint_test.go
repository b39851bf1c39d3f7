package mount

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestCheckMountpoint(t *testing.T) {
	dir := t.TempDir()
	empty, full, file := filepath.Join(dir, "empty"), filepath.Join(dir, "full"), filepath.Join(dir, "full", "file")
	link := filepath.Join(dir, "link")
	for _, err := range []error{os.Mkdir(empty, 0o755), os.Mkdir(full, 0o755), os.WriteFile(file, nil, 0o644), os.Symlink(empty, link)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		path     string
		nonEmpty bool
		want     error
	}{
		{empty, false, nil},
		{link, false, nil},
		{full, false, ErrNotEmpty},
		{full, true, nil},
		{file, true, unix.ENOTDIR},
		{filepath.Join(file, "x"), false, unix.ENOTDIR},
		{filepath.Join(dir, "absent"), false, unix.ENOENT},
		{"", false, unix.ENOENT},
		{"/", true, ErrMounted},
		{"/proc", true, ErrMounted},
	} {
		err := CheckMountpoint(test.path, test.nonEmpty)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.path, err, test.want)
		}
	}
}

func TestCheckMountpointMounted(t *testing.T) {
	needMounts(t)
	dir := t.TempDir()
	target := filepath.Join(dir, "a b")
	if err := os.Mkdir(target, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("name", target, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	err := CheckMountpoint(target, true)
	if want := fmt.Sprintf(`mount "%s": is mounted already (tmpfs, name)`, target); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if err := Unmount(target, false); err != nil {
		t.Fatal(err)
	}
	if err := CheckMountpoint(target, false); err != nil {
		t.Error(err)
	}
}

// TestAutomount checks that a directory that waits for an automount is taken
// as it is: whoever looked into it would wait for the mount that is to be made.
func TestAutomount(t *testing.T) {
	needFUSE(t)
	target := t.TempDir()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	// The daemon's process group, which alone does not wait, is another one.
	data := fmt.Sprintf("fd=%d,pgrp=1,minproto=5,maxproto=5,direct", w.Fd())
	if err := unix.Mount("auto", target, "autofs", 0, data); err != nil {
		t.Skip("skipped: mount autofs:", err)
	}
	defer unix.Unmount(target, unix.MNT_DETACH)

	done := make(chan error, 1)
	go func() {
		err := CheckMountpoint(target, false)
		if err == nil {
			var dev *os.File
			if dev, err = FUSE(target, Options{}); err == nil {
				err = errors.Join(dev.Close(), Unmount(target, false))
			}
		}
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("waits for the automount")
	}
}

func TestCanonical(t *testing.T) {
	dir := t.TempDir()
	real := filepath.Join(dir, "re\nal")
	if err := errors.Join(os.Mkdir(real, 0o755), os.Symlink(real, filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, path := range []string{real, "link", "link/.", "./link/../re\nal", dir + "//link/"} {
		if got, err := Canonical(path); err != nil || got != real {
			t.Errorf("%q: %q, %v, want %q", path, got, err, real)
		}
	}
	if _, err := Canonical("absent"); !errors.Is(err, os.ErrNotExist) || err.Error() != "resolve absent: no such file or directory" {
		t.Errorf("absent: %v", err)
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"/a/b-c_d.e+f": "/a/b-c_d.e+f", "/ä": "/ä", "": `""`, "/a b": `"/a b"`, "/a\nb": `"/a\nb"`, "/a\xffb": `"/a\xffb"`, "/$x": `"/$x"`,
	} {
		if got := quote(in); got != want {
			t.Errorf("quote(%q) = %s, want %s", in, got, want)
		}
	}
}
