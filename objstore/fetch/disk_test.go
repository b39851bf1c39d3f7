package fetch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestDisk serves regular files of a directory, whatever else is there.
func TestDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	repo := filepath.Join(dir, "repo with%blank")
	if err := os.MkdirAll(filepath.Join(repo, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"repo with%blank/a", "outside"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"inside": "a", "out": "../outside", "absolute": filepath.Join(dir, "outside")} {
		if err := os.Symlink(target, filepath.Join(repo, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(repo, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := client(t, Config{URLs: []string{"file://" + filepath.Join(dir, "repo%20with%25blank")}})
	for name, want := range map[string]string{"a": "text", "inside": "text", "out": "", "absolute": "", "pipe": "", "dir": "", "none": ""} {
		data, err := c.Get(t.Context(), File{Path: name}, 4)
		if string(data) != want || (want == "") != (err != nil) || errors.Is(err, fs.ErrNotExist) != (name == "none") {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	if _, err := c.Get(t.Context(), File{Path: "a"}, 3); err == nil {
		t.Error("no limit")
	}
}
