package mount

import (
	"os"
	"testing"

	"deployfs/mount/internal/isolated"
)

// roleEnv tells a copy of the test binary what it is.
const roleEnv = "DEPLOYFS_MOUNT_TEST"

const (
	roleNobody = "nobody" // runs the tests, without privilege
	roleServer = "server" // serves the connection on descriptor 3
	roleHang   = "hang"   // the same, but answers INIT only
)

// TestMain gives root's tests a mount namespace of their own, which the kernel
// clears away with the process. Fuzzing needs none.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role == roleServer || role == roleHang {
		serve(3, role == roleHang)
		return
	}
	os.Exit(isolated.Main(m))
}

// needMounts skips the test where it cannot mount, and says why.
func needMounts(t *testing.T) {
	t.Helper()
	if !isolated.Inside() {
		t.Skip("skipped: needs root and a mount namespace")
	}
}

// needFUSE skips the test where there is no FUSE.
func needFUSE(t *testing.T) {
	t.Helper()
	needMounts(t)
	if _, err := os.Stat(fuseDevice); err != nil {
		t.Skip("skipped: no " + fuseDevice)
	}
}
