package confine

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// limit forbids core dumps, and bounds how many files are open at a time.
func limit(openFiles uint64) error {
	if err := syscall.Setrlimit(unix.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("limit of core dumps: %w", err)
	}
	var files syscall.Rlimit
	err := syscall.Getrlimit(unix.RLIMIT_NOFILE, &files)
	if err == nil && 0 < openFiles && openFiles < files.Max {
		err = syscall.Setrlimit(unix.RLIMIT_NOFILE, &syscall.Rlimit{Cur: min(files.Cur, openFiles), Max: openFiles})
	}
	if err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	return nil
}
