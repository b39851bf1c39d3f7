package backing

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func mapped(t *testing.T, path string, count int) (*words, bool) {
	t.Helper()
	w, fresh, err := mapWords(path, count)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	return w, fresh
}

// TestWords: what one maps, another sees, also later.
func TestWords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "words")
	a, fresh := mapped(t, path, 1024)
	if !fresh || a.load(1023) != 0 {
		t.Error("a new file is not fresh and empty")
	}
	b, fresh := mapped(t, path, 1024)
	a.store(1023, 7)
	if sum := b.add(1023, -2); fresh || sum != 5 || a.load(1023) != 5 {
		t.Errorf("fresh %v, %d, %d", fresh, sum, a.load(1023))
	}
	a.close()
	a.close()
	if a.store(1023, 9); a.load(1023) != 0 || b.load(1023) != 5 {
		t.Error("a closed mapping is used")
	}
}

// TestWordsDistrust makes anew what is not private, and leaves alone what it
// was mistaken for.
func TestWordsDistrust(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"short":       func(path string) error { return os.Truncate(path, 100) },
		"long":        func(path string) error { return os.Truncate(path, 1<<20) },
		"group":       func(path string) error { return os.Chmod(path, 0o620) },
		"others":      func(path string) error { return os.Chmod(path, 0o602) },
		"second name": func(path string) error { return os.Link(path, path+".other") },
		"pipe": func(path string) error {
			os.Remove(path)
			return unix.Mkfifo(path, 0o600)
		},
		"symlink": func(path string) error {
			if err := os.Rename(path, path+".other"); err != nil {
				return err
			}
			return os.Symlink(path+".other", path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "words")
			old, _ := mapped(t, path, 1024)
			old.store(3, 7)
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			w, fresh := mapped(t, path, 1024)
			if w.store(4, 8); !fresh || w.load(3) != 0 || old.load(4) != 0 {
				t.Error("it is used")
			}
			if st, err := os.Lstat(path); err != nil || st.Mode() != 0o600 || st.Size() != 8192 {
				t.Errorf("%v, %v", st, err)
			}
		})
	}
	dir := t.TempDir()
	if _, _, err := mapWords(dir, 1024); err == nil {
		t.Error("a directory is mapped")
	}
	if left, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
}

// TestWordsCut: a file that is cut while it is mapped, as one that finds no room
// on a full disk, ends no process.
func TestWordsCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "words")
	w, _ := mapped(t, path, 1024)
	w.store(1000, 7)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	w.store(1000, 8)
	if got := w.load(1000); got != 0 || w.add(1000, 5) != 0 {
		t.Errorf("read %d", got)
	}
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	if w.store(1000, 9); w.load(1000) != 9 {
		t.Error("it is not used again")
	}
}
