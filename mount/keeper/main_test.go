package keeper

import (
	"os"
	"testing"

	"deployfs/mount/internal/isolated"
)

// TestMain gives root's tests a mount namespace of their own, as their runtime
// directory is the machine's.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == Verb:
		fakeKeeper(os.Args[2])
		return
	case len(os.Args) == 3 && os.Args[1] == ServerVerb:
		fakeServer()
		return
	}
	os.Exit(isolated.Main(m, "/run"))
}

// private skips a test that would use the machine's own runtime directory, and
// makes another user's point to an empty one. It returns the directory's path.
func private(t *testing.T) string {
	t.Helper()
	if os.Geteuid() == 0 && !isolated.Inside() {
		t.Skip("skipped: needs a mount namespace")
	}
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	dir, err := RuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Fatalf("not empty: %v, %v", entries, err)
	}
	return dir
}
