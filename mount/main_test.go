package mount

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// roleEnv tells a copy of the test binary what it is.
const roleEnv = "DEPLOYFS_MOUNT_TEST"

const (
	roleIsolated = "isolated" // runs the tests, in a mount namespace of its own
	roleNobody   = "nobody"   // the same, and without privilege
	roleServer   = "server"   // serves the connection on descriptor 3
	roleHang     = "hang"     // the same, but answers INIT only
)

// TestMain gives root's tests a mount namespace of their own, which the kernel
// clears away with the process. Fuzzing needs none.
func TestMain(m *testing.M) {
	switch role := os.Getenv(roleEnv); {
	case role == roleServer || role == roleHang:
		serve(3, role == roleHang)
		return
	case role == "" && os.Geteuid() == 0 && !strings.Contains(strings.Join(os.Args, " "), "-test.fuzz"):
		if status, ok := isolate(); ok {
			os.Exit(status)
		}
	}
	os.Exit(m.Run())
}

// isolate runs the test binary again and returns its exit status; ok is false
// where there can be no mount namespace. The death of this process, by the time
// limit for instance, ends the copy.
func isolate() (status int, ok bool) {
	runtime.LockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), roleEnv+"="+roleIsolated)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// With CLONE_NEWNS package syscall makes every mount private, too.
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, "mount namespace for the tests:", err)
		return 0, false
	}
	return cmd.ProcessState.ExitCode(), true
}

// needMounts skips the test where it cannot mount, and says why.
func needMounts(t *testing.T) {
	t.Helper()
	if os.Getenv(roleEnv) != roleIsolated {
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
