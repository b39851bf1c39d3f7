package keeper

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// RuntimeDir is where this user's servers have their sockets. It is created
// when it is missing, and refused when somebody else could write to it.
func RuntimeDir() (string, error) {
	dir := "/run/deployfs"
	if uid := os.Geteuid(); uid != 0 {
		if base := os.Getenv("XDG_RUNTIME_DIR"); base != "" {
			dir = filepath.Join(base, "deployfs")
		} else {
			dir = filepath.Join(os.TempDir(), fmt.Sprintf("deployfs-%d", uid))
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("runtime directory: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", fmt.Errorf("runtime directory: %w", err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(st.Uid) != os.Geteuid() || info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("runtime directory %s: not a directory that is yours alone", dir)
	}
	return dir, nil
}
