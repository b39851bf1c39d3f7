package daemon

import (
	"os"
	"testing"

	"deployfs/mount/internal/isolated"
	"deployfs/mount/keeper"
)

// TestMain gives root's tests a mount namespace of their own, as their runtime
// directory and their cache are the machine's. Fuzzing needs none.
func TestMain(m *testing.M) { os.Exit(isolated.Main(m, "/run", "/var/cache")) }

// private skips a test that would use the machine's own runtime directory, and
// makes another user's point to an empty one. It returns the directory's path.
func private(t *testing.T) string {
	t.Helper()
	if os.Geteuid() == 0 && !isolated.Inside() {
		t.Skip("skipped: needs a mount namespace")
	}
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir, err := keeper.RuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Fatalf("not empty: %v, %v", entries, err)
	}
	return dir
}
