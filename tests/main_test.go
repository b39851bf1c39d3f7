// Package tests drives the built programs from outside, with the real ostree as judge.
//
// The test process runs twice: the outer one makes a work directory and starts itself again in a mount
// namespace of its own, where all tests run; when that one ends, whatever way, the outer one ends the
// servers that were left, reports them and removes the work directory. No mount is ever seen outside.
//
// CI=true turns every skipped test into a failure. DEPLOYFS_RACE=1 builds the programs with the race
// detector; a race in any of them, also in a background server, fails the run.
package tests

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	workEnv   = "DEPLOYFS_TESTS_WORK"   // set for the inner process: its work directory
	helperEnv = "DEPLOYFS_TESTS_HELPER" // set for a process that only runs one of helpers
)

// helpers run in a process of their own, under another user.
var helpers = map[string]func() error{"access": printAccess, "cuttable": cuttable, "linkless": linkless}

// work is the directory below which the tests put everything; any user may enter it.
var work string

func TestMain(m *testing.M) {
	if name := os.Getenv(helperEnv); name != "" {
		if err := helpers[name](); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if work = os.Getenv(workEnv); work != "" {
		unix.Umask(0o022)
		isolate()
		os.Exit(m.Run())
	}
	code, err := supervise()
	if err != nil {
		fmt.Fprintln(os.Stderr, "tests:", err)
		code = 1
	}
	os.Exit(code)
}

// supervise runs the tests in a child with its own mount namespace (root) and cleans up after it.
func supervise() (int, error) {
	dir, err := makeWork()
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), workEnv+"="+dir, "GORACE=atexit_sleep_ms=0 log_path="+filepath.Join(dir, "race"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS // also makes / private there
	}
	runtime.LockOSThread() // the death signal is tied to this thread
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	go forwardSignals(cmd.Process)
	err = cmd.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = nil
	}
	code := cmd.ProcessState.ExitCode()
	if code < 0 {
		code = 1
	}
	return code, errors.Join(err, endLeftovers(dir), raceReports(dir))
}

// isolate hides, in the tests' own namespace, what others on this machine have mounted: it would be
// listed, and our copy of the mount would keep it alive.
func isolate() {
	ours, err := os.Readlink("/proc/self/ns/mnt")
	theirs, err2 := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", os.Getppid()))
	if os.Geteuid() != 0 || err != nil || err2 != nil || ours == theirs {
		return
	}
	table, _ := readMountTable()
	for _, m := range table {
		if m.kind == "fuse.deployfs" {
			unix.Unmount(m.point, unix.MNT_DETACH)
		}
	}
	unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755") // sockets and files of servers
	openFuseDevice()
}

// openFuseDevice puts a device that every user may open, as udev makes it, where /dev/fuse is not so.
func openFuseDevice() {
	var st unix.Stat_t
	if unix.Stat("/dev/fuse", &st) != nil || st.Mode&0o006 == 0o006 {
		return
	}
	node := filepath.Join(work, "fuse")
	if unix.Mknod(node, unix.S_IFCHR|0o600, int(st.Rdev)) == nil && unix.Chmod(node, 0o666) == nil {
		unix.Mount(node, "/dev/fuse", "", unix.MS_BIND, "")
	}
}

// makeWork makes the work directory on a file system that holds the xattrs of every name space.
func makeWork() (string, error) {
	var dir string
	for _, base := range []string{os.TempDir(), "/var/tmp"} {
		d, err := os.MkdirTemp(base, "deployfs-tests-")
		if err != nil {
			return "", err
		}
		if dir != "" {
			os.Remove(dir)
		}
		dir = d
		if xattrsWork(dir) {
			break
		}
	}
	return dir, os.Chmod(dir, 0o755)
}

// xattrsWork tells whether dir takes the xattrs that the forest has.
func xattrsWork(dir string) bool {
	for _, name := range []string{"user.probe", "trusted.probe", "security.probe"} {
		if unix.Setxattr(dir, name, []byte{1}, 0) != nil {
			return false
		}
		unix.Removexattr(dir, name)
	}
	return true
}

func forwardSignals(p *os.Process) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT)
	for s := range c {
		p.Signal(s)
	}
}

// endLeftovers kills the processes that run a program below dir; there should be none.
func endLeftovers(dir string) error {
	var errs []error
	for _, pid := range processesBelow(dir) {
		cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		errs = append(errs, fmt.Errorf("left running: pid %d %q", pid, strings.ReplaceAll(string(cmdline), "\x00", " ")))
		syscall.Kill(pid, syscall.SIGKILL)
	}
	return errors.Join(errs...)
}

// raceReports returns what the race detector wrote in any program.
func raceReports(dir string) error {
	var errs []error
	names, _ := filepath.Glob(filepath.Join(dir, "race.*"))
	for _, name := range names {
		text, err := os.ReadFile(name)
		errs = append(errs, fmt.Errorf("data race: %s", text), err)
	}
	return errors.Join(errs...)
}

var builds struct {
	sync.Mutex
	done map[string]error
}

// binary returns the path of the built program name, which it builds at the first call.
func binary(t testing.TB, name string) string {
	t.Helper()
	builds.Lock()
	defer builds.Unlock()
	if builds.done == nil {
		builds.done = map[string]error{}
	}
	path := filepath.Join(work, "bin", name)
	if _, ok := builds.done[name]; !ok {
		builds.done[name] = build(path, "deployfs/cmd/"+name)
	}
	if err := builds.done[name]; err != nil {
		t.Fatal(err)
	}
	return path
}

func build(path, pkg string) error {
	args, cgo := []string{"build", "-buildvcs=false", "-ldflags=-s -w", "-o", path}, "0" // as make builds it
	if os.Getenv("DEPLOYFS_RACE") == "1" {
		args, cgo = append(args, "-race"), "1"
	}
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return nil
}
