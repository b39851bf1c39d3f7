package tests

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// deadline bounds every command that a test runs.
const deadline = 60 * time.Second

// outcome is what a finished command left.
type outcome struct {
	line     string // the command, for messages
	out, err string
	code     int
}

// command says how to run a program; only args must be set.
type command struct {
	args []string
	dir  string
	env  []string // on top of the test's own
	uid  int      // 0 means root
	in   string
}

// run runs c to its end. It fails the test when the command does not end in time, or leaves a
// process behind that holds its standard output: a caller in a pipeline would hang.
func (c command) run(t testing.TB) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.WaitDelay = 2 * time.Second
	cmd.Dir = c.dir
	if cmd.Dir == "" {
		cmd.Dir = work
	}
	cmd.Env = append(cleanEnv(), c.env...)
	cmd.Stdin = strings.NewReader(c.in)
	if c.uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(c.uid), Gid: uint32(c.uid)}}
	}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	o := outcome{line: strings.Join(c.args, " "), out: out.String(), err: errOut.String(), code: cmd.ProcessState.ExitCode()}
	switch exit := (*exec.ExitError)(nil); {
	case ctx.Err() != nil:
		t.Fatalf("%s: not done after %s\n%s", o.line, deadline, o.err)
	case errors.Is(err, exec.ErrWaitDelay):
		t.Errorf("%s: ended, but a process that it started holds its stdout or stderr", o.line)
	case err != nil && !errors.As(err, &exit):
		t.Fatalf("%s: %v", o.line, err)
	}
	return o
}

// cleanEnv is the environment without what would change the programs' behaviour.
func cleanEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "OSTREE_") && !strings.HasPrefix(kv, "G_") && !strings.HasPrefix(kv, "LC_") &&
			!strings.HasPrefix(kv, "NOTIFY_SOCKET=") && !strings.HasPrefix(kv, workEnv) {
			env = append(env, kv)
		}
	}
	return append(env, "LC_ALL=C.UTF-8", "TZ=UTC")
}

// deployfs runs the program under test.
func deployfs(t testing.TB, args ...string) outcome {
	t.Helper()
	return command{args: append([]string{binary(t, "deployfs")}, args...)}.run(t)
}

// must runs a command that has to succeed and returns its output without the last newline.
func must(t testing.TB, args ...string) string {
	t.Helper()
	return command{args: args}.must(t)
}

func (c command) must(t testing.TB) string {
	t.Helper()
	o := c.run(t)
	if o.code != 0 {
		t.Fatalf("%s: exit %d\n%s%s", o.line, o.code, o.out, o.err)
	}
	return strings.TrimSuffix(o.out, "\n")
}

// ostree runs the real program, which has to succeed.
func ostree(t testing.TB, repo string, args ...string) string {
	t.Helper()
	need(t, have("ostree"), "ostree is not installed (tests/setup.sh installs it)")
	return must(t, append([]string{"ostree", "--repo=" + repo}, args...)...)
}

func have(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// need skips the test when its condition does not hold here; where CI=true that is a failure.
func need(t testing.TB, ok bool, reason string) {
	t.Helper()
	switch {
	case ok:
	case os.Getenv("CI") == "true":
		t.Fatal("cannot run: " + reason)
	default:
		t.Skip("cannot run: " + reason)
	}
}

// needRoot is the condition of every test that makes owners, xattrs or mounts.
func needRoot(t testing.TB) {
	t.Helper()
	need(t, os.Geteuid() == 0, "not root")
	need(t, xattrsWork(work), work+" does not take user, trusted and security xattrs")
}

// needFuse is the condition of every test that mounts.
func needFuse(t testing.TB) {
	t.Helper()
	needRoot(t)
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	need(t, err == nil, "/dev/fuse cannot be opened")
	unix.Close(fd)
}

// scratch makes a directory that any user may enter, and removes it after the test.
func scratch(t testing.TB) string {
	t.Helper()
	name := strings.NewReplacer("/", "-", " ", "-").Replace(t.Name())
	dir, err := os.MkdirTemp(work, name+"-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// processesBelow returns the processes whose program lies below dir.
func processesBelow(dir string) []int {
	var pids []int
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		exe, err := os.Readlink(link)
		if err == nil && strings.HasPrefix(exe, dir+"/") {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(link)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// eventually waits until ok holds, at most d.
func eventually(d time.Duration, ok func() bool) bool {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return ok()
}
