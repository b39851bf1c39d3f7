// Package isolated runs tests that mount, or that use directories of the machine,
// in a mount namespace of their own. No program imports it.
package isolated

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// env tells a copy of the test binary that it runs the tests.
const env = "DEPLOYFS_TESTS_ISOLATED"

// Inside reports whether this process has a mount namespace of its own.
func Inside() bool { return os.Getenv(env) != "" }

// Main runs root's tests in a copy of this process with such a namespace, where
// these directories are new and empty, and returns its exit status. Others' tests,
// those where there can be no such namespace, and fuzzing run as they are.
func Main(m *testing.M, fresh ...string) int {
	if !Inside() && os.Geteuid() == 0 && !strings.Contains(strings.Join(os.Args, " "), "-test.fuzz") {
		if status, ok := again(); ok {
			return status
		}
	}
	if Inside() {
		for _, dir := range fresh {
			if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
				fmt.Fprintf(os.Stderr, "a %s for the tests: %v\n", dir, err)
				return 1
			}
		}
	}
	return m.Run()
}

// again runs the test binary once more; ok is false where there can be no mount
// namespace. The death of this process, by the time limit for instance, ends the
// copy.
func again() (status int, ok bool) {
	runtime.LockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), env+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// With CLONE_NEWNS package syscall makes every mount private, too.
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, "mount namespace for the tests:", err)
		return 0, false
	}
	return cmd.ProcessState.ExitCode(), true
}
