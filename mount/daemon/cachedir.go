package daemon

import (
	"fmt"
	"os"
	"path/filepath"
)

// CacheDir is where this user's derived data is kept: inflated content, what was
// verified, and indexes of repositories that are not the user's own.
func CacheDir() string {
	if os.Geteuid() == 0 {
		return "/var/cache/deployfs"
	}
	if base, err := os.UserCacheDir(); err == nil {
		return filepath.Join(base, "deployfs")
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("deployfs-cache-%d", os.Geteuid()))
}
