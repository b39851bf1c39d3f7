package mount

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestBind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	for range 2 {
		if err := Bind(dir, "commit A\n/usr"); err != nil {
			t.Fatal(err)
		}
	}
	err := Bind(dir, "commit B")
	if !errors.Is(err, ErrBound) {
		t.Fatalf("other identity: %v, want ErrBound", err)
	}
	for _, part := range []string{`"commit A\n/usr"`, `"commit B"`, dir} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not name %s", err, part)
		}
	}
	if hint := hintOf(err); !strings.Contains(hint, filepath.Join(dir, upperName)) {
		t.Errorf("hint %q does not name the upper directory", hint)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != identityFile {
		t.Errorf("directory holds %v, %v", entries, err)
	}
}

func TestBindRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, upperName), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Bind(dir, "A"); !errors.Is(err, ErrBound) {
		t.Errorf("upper directory without a record: %v, want ErrBound", err)
	}
	if err := Bind(filepath.Join(dir, "no", "parent"), "A"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no parent: %v", err)
	}
	if err := Bind(t.TempDir(), strings.Repeat("x", maxIdentity+1)); err == nil {
		t.Error("oversized identity: no error")
	}
	for _, content := range []string{"", "A"} {
		if err := os.WriteFile(filepath.Join(dir, identityFile), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := Bind(dir, content); err == nil || errors.Is(err, ErrBound) {
			t.Errorf("damaged record %q: %v", content, err)
		}
	}
}

// TestBindRace checks that of many processes that claim a directory one wins.
func TestBindRace(t *testing.T) {
	dir := t.TempDir()
	ids := "abcdefgh"
	won := make([]bool, len(ids))
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			err := Bind(dir, ids[i:i+1])
			won[i] = err == nil
			if err != nil && !errors.Is(err, ErrBound) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	have, err := readIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, won := range won {
		if won != (have == ids[i:i+1]) {
			t.Errorf("%c: won is %v, the directory belongs to %s", ids[i], won, have)
		}
	}
}

func hintOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Remedy
	}
	return ""
}
