package daemon

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// roleEnv tells a copy of the test binary that it runs the tests.
const roleEnv = "DEPLOYFS_DAEMON_TEST"

// fakeServer is the first argument of a copy that [Start] runs; the second says
// how it fares.
const fakeServer = "fake-server"

// TestMain gives root's tests a mount namespace of their own, as their runtime
// directory and their cache are the machine's. Fuzzing needs none.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == fakeServer:
		fare(os.Args[2])
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

// fare is the life of a server that serves nothing.
func fare(how string) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	starter, err := newStarter()
	if err != nil || starter == nil {
		fmt.Fprintln(os.Stderr, "no starter:", err)
		os.Exit(1)
	}
	switch how {
	case "ready":
		starter.tell(nil)
	case "failure":
		starter.tell(fmt.Errorf("mount: %w", &Failure{Text: "what went wrong", Remedy: "what helps"}))
	case "error":
		starter.tell(errors.New("what went wrong"))
	case "hang":
		<-signals
		os.Exit(1)
	case "death":
		os.Exit(3)
	}
}

// private skips a test that would use the machine's own runtime directory, and
// makes another user's point to an empty one. It returns the directory's path.
func private(t *testing.T) string {
	t.Helper()
	if os.Geteuid() == 0 && os.Getenv(roleEnv) == "" {
		t.Skip("skipped: needs a mount namespace")
	}
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir, err := runtimeDir()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Fatalf("not empty: %v, %v", entries, err)
	}
	return dir
}
