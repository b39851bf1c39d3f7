package keeper

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// roleEnv tells a copy of the test binary that it runs the tests.
const roleEnv = "DEPLOYFS_KEEPER_TEST"

// TestMain gives root's tests a mount namespace of their own, as their runtime
// directory and their cache are the machine's. Fuzzing needs none.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == Verb:
		fakeKeeper(os.Args[2])
		return
	case len(os.Args) == 3 && os.Args[1] == ServerVerb:
		fakeServer()
		return
	case os.Geteuid() == 0 && os.Getenv(roleEnv) == "" && !strings.Contains(strings.Join(os.Args, " "), "-test.fuzz"):
		if status, ok := isolate(); ok {
			os.Exit(status)
		}
	case os.Getenv(roleEnv) != "":
		for _, dir := range []string{"/run", "/var/cache"} {
			if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
				fmt.Fprintf(os.Stderr, "a %s for the tests: %v\n", dir, err)
				os.Exit(1)
			}
		}
	}
	os.Exit(m.Run())
}

// isolate runs the test binary again and returns its exit status; ok is false
// where there can be no mount namespace.
func isolate() (status int, ok bool) {
	runtime.LockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), roleEnv+"=isolated")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// With CLONE_NEWNS package syscall makes every mount private, too.
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, "mount namespace for the tests:", err)
		return 0, false
	}
	return cmd.ProcessState.ExitCode(), true
}

// private skips a test that would use the machine's own runtime directory, and
// makes another user's point to an empty one. It returns the directory's path.
func private(t *testing.T) string {
	t.Helper()
	if os.Geteuid() == 0 && os.Getenv(roleEnv) == "" {
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
