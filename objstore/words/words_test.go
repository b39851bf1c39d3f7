package words

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func mapped(t *testing.T, path string, count int) (*File, bool) {
	t.Helper()
	w, fresh, err := Map(path, count)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w, fresh
}

// TestWords: what one maps, another sees, also later.
func TestWords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "words")
	a, fresh := mapped(t, path, 1024)
	if !fresh || a.Load(1023) != 0 {
		t.Error("a new file is not fresh and empty")
	}
	b, fresh := mapped(t, path, 1024)
	a.Store(1023, 7)
	if sum := b.Add(1023, -2); fresh || sum != 5 || a.Load(1023) != 5 {
		t.Errorf("fresh %v, %d, %d", fresh, sum, a.Load(1023))
	}
	a.Close()
	a.Close()
	if a.Store(1023, 9); a.Load(1023) != 0 || b.Load(1023) != 5 {
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
			old.Store(3, 7)
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			w, fresh := mapped(t, path, 1024)
			if w.Store(4, 8); !fresh || w.Load(3) != 0 || old.Load(4) != 0 {
				t.Error("it is used")
			}
			if st, err := os.Lstat(path); err != nil || st.Mode() != 0o600 || st.Size() != 8192 {
				t.Errorf("%v, %v", st, err)
			}
		})
	}
	dir := t.TempDir()
	if _, _, err := Map(dir, 1024); err == nil {
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
	w.Store(1000, 7)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	w.Store(1000, 8)
	if got := w.Load(1000); got != 0 || w.Add(1000, 5) != 0 {
		t.Errorf("read %d", got)
	}
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	if w.Store(1000, 9); w.Load(1000) != 9 {
		t.Error("it is not used again")
	}
}
