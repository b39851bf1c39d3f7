package tests

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stuckAfter is how long a mount may live before its connection is aborted: a test that waits for a
// server that never answers then gets an error instead of hanging.
const stuckAfter = 3 * time.Minute

// mountEntry is a line of mountinfo.
type mountEntry struct{ dev, point, options, kind, source, super string }

// mountTable reads the mount table of the tests' namespace, newest last.
func mountTable(t testing.TB) []mountEntry {
	t.Helper()
	table, err := readMountTable()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func readMountTable() ([]mountEntry, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var table []mountEntry
	for line := range strings.Lines(string(text)) {
		left, right, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		l, r := strings.Split(left, " "), strings.Split(right, " ")
		table = append(table, mountEntry{dev: l[2], point: unescape(l[4]), options: l[5], kind: r[0], source: unescape(r[1]), super: r[2]})
	}
	return table, nil
}

// unescape undoes the kernel's octal escapes.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// mountsAt returns the mounts on dir, newest last.
func mountsAt(t testing.TB, dir string) []mountEntry {
	t.Helper()
	return slices.DeleteFunc(mountTable(t), func(m mountEntry) bool { return m.point != dir })
}

func isMounted(t testing.TB, dir string) bool { return len(mountsAt(t, dir)) > 0 }

// servers returns the processes that run the program under test: keepers, servers, and what they run.
func servers() []int { return processesBelow(filepath.Join(work, "bin")) }

// mounted mounts with the given arguments (options, then REV) on a new directory, which it returns.
func mounted(t testing.TB, args ...string) string {
	t.Helper()
	needFuse(t)
	dir := scratch(t)
	mountOn(t, dir, args...)
	return dir
}

// mountOn mounts on dir and sees to it that mount and server are gone after the test.
func mountOn(t testing.TB, dir string, args ...string) {
	t.Helper()
	guardNew(t, dir, func() {
		o := deployfs(t, append(append([]string{"mount"}, args...), dir)...)
		if o.code != 0 {
			t.Fatalf("%s: exit %d\n%s%s", o.line, o.code, o.out, o.err)
		}
		if o.out != "" || o.err != "" {
			t.Errorf("%s: a mount that succeeds prints nothing, got %q %q", o.line, o.out, o.err)
		}
		if !isMounted(t, dir) {
			t.Fatalf("%s: exit 0, but nothing is mounted", o.line)
		}
	})
}

// guardNew calls mount, and then guards dir and the servers that were not there before.
func guardNew(t testing.TB, dir string, mount func()) {
	t.Helper()
	before := servers()
	mount()
	guard(t, dir, slices.DeleteFunc(servers(), func(pid int) bool { return slices.Contains(before, pid) }))
}

// umounted unmounts dir with the program, which has to succeed.
func umounted(t testing.TB, dir string) {
	t.Helper()
	if o := deployfs(t, "umount", dir); o.code != 0 || o.out+o.err != "" {
		t.Fatalf("%s: exit %d\n%s%s", o.line, o.code, o.out, o.err)
	}
	if isMounted(t, dir) {
		t.Fatalf("umount %s: exit 0, but it is still mounted", dir)
	}
}

// wantErrno checks the error of a system call.
func wantErrno(t testing.TB, what string, err error, want unix.Errno) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// guard undoes the mounts on dir after the test and reports a server that does not end then.
func guard(t testing.TB, dir string, pids []int) {
	watchdog := time.AfterFunc(stuckAfter, func() { abort(mountsAt(t, dir)) })
	t.Cleanup(func() {
		defer watchdog.Stop()
		all := mountsAt(t, dir)
		for range all {
			unix.Unmount(dir, unix.MNT_DETACH)
		}
		gone := func() bool {
			return !slices.ContainsFunc(servers(), func(pid int) bool { return slices.Contains(pids, pid) })
		}
		if eventually(10*time.Second, gone) {
			return
		}
		t.Errorf("the server of %s lives on after umount: pids %v", dir, pids)
		abort(all)
		for _, pid := range pids {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
}

// abort ends the FUSE connections of these mounts, and of no other.
func abort(mounts []mountEntry) {
	for _, m := range mounts {
		if minor, ok := strings.CutPrefix(m.dev, "0:"); ok && m.kind == "fuse.deployfs" {
			os.WriteFile("/sys/fs/fuse/connections/"+minor+"/abort", []byte("1"), 0)
		}
	}
}

// foreground is a server that runs as the test's own child.
type foreground struct {
	dir string
	cmd *exec.Cmd

	mu  sync.Mutex
	log bytes.Buffer
	end chan struct{}
}

// Write collects the server's stderr.
func (f *foreground) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.Write(p)
}

// mountedForeground mounts on a new directory with --foreground and waits until the tree is usable.
func mountedForeground(t testing.TB, args ...string) *foreground {
	t.Helper()
	f := startForeground(t, nil, args...)
	ready := func() bool { return isMounted(t, f.dir) && f.server(t) != 0 }
	if !eventually(20*time.Second, func() bool { return ready() || f.ended() }) || f.ended() {
		t.Fatalf("mount --foreground: nothing is mounted\n%s", f.lines())
	}
	return f
}

// server is the process that serves now; 0 while there is none.
func (f *foreground) server(t testing.TB) int {
	for _, r := range mountRecords(t) {
		if r.Mountpoint == f.dir {
			return r.Pid
		}
	}
	return 0
}

// startForeground starts a server and does not wait for it.
func startForeground(t testing.TB, env []string, args ...string) *foreground {
	t.Helper()
	needFuse(t)
	f := &foreground{dir: scratch(t), end: make(chan struct{})}
	f.cmd = exec.Command(binary(t, "deployfs"), append(append([]string{"mount", "--foreground"}, args...), f.dir)...)
	f.cmd.Dir, f.cmd.Env, f.cmd.Stderr, f.cmd.Stdout = work, append(cleanEnv(), env...), f, f
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { f.cmd.Wait(); close(f.end) }()
	guard(t, f.dir, []int{f.cmd.Process.Pid})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("server's log:\n%s", f.lines())
		}
	})
	return f
}

func (f *foreground) ended() bool {
	select {
	case <-f.end:
		return true
	default:
		return false
	}
}

// lines returns what the server has logged so far.
func (f *foreground) lines() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.String()
}

// logged returns the log lines that hold every one of words, after a moment for them to arrive.
func (f *foreground) logged(words ...string) []string {
	var found []string
	eventually(2*time.Second, func() bool {
		found = slices.DeleteFunc(strings.Split(f.lines(), "\n"), func(line string) bool {
			return slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) })
		})
		return len(found) > 0
	})
	return found
}

// dropCaches makes the kernel forget clean pages, entries and inodes, so that the server is asked again.
func dropCaches(t testing.TB) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0); err != nil {
		t.Log("drop_caches: ", err)
	}
}

// oneError checks the shape of a refusal: exit 1, nothing on stdout, `error: ...` with all of words,
// at most one more line (the remedy), nothing mounted on dir and no server left.
func oneError(t testing.TB, o outcome, dir string, words ...string) {
	t.Helper()
	if o.code != 1 {
		t.Errorf("%s: exit %d, want 1\n%s%s", o.line, o.code, o.out, o.err)
	}
	lines := strings.Split(strings.TrimSuffix(o.err, "\n"), "\n")
	if o.out != "" || len(lines) > 2 || !strings.HasPrefix(o.err, "error: ") || !strings.HasSuffix(o.err, "\n") {
		t.Errorf("%s: want one line `error: ...` and at most a remedy on stderr only, got %q %q", o.line, o.out, o.err)
	}
	for _, w := range words {
		if !strings.Contains(o.err, w) {
			t.Errorf("%s: the error does not name %q: %q", o.line, w, o.err)
		}
	}
	for _, noise := range []string{"goroutine ", "panic", "0x", "%!"} {
		if strings.Contains(o.err, noise) {
			t.Errorf("%s: %q in the error: %q", o.line, noise, o.err)
		}
	}
	if dir != "" && isMounted(t, dir) {
		t.Errorf("%s: left a mount", o.line)
		unix.Unmount(dir, unix.MNT_DETACH)
	}
	if !eventually(5*time.Second, func() bool { return len(servers()) == 0 }) {
		t.Errorf("%s: left processes: %v", o.line, servers())
		for _, pid := range servers() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// onlyServer returns the one server that runs now, onlyKeeper its keeper.
func onlyServer(t testing.TB) int { t.Helper(); return only(t, "serve") }

func onlyKeeper(t testing.TB) int { t.Helper(); return only(t, "keep", "mount") }

// only returns the one process that runs one of these verbs now.
func only(t testing.TB, verbs ...string) int {
	t.Helper()
	pids := running(verbs...)
	if len(pids) != 1 {
		t.Fatalf("want one process that runs %s, have %v", verbs[0], pids)
	}
	return pids[0]
}

// running returns the processes of the program under test that run one of these verbs.
func running(verbs ...string) []int {
	return slices.DeleteFunc(servers(), func(pid int) bool { return !slices.Contains(verbs, verbOf(pid)) })
}

func verbOf(pid int) string {
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if args := strings.Split(string(line), "\x00"); len(args) > 1 {
		return args[1]
	}
	return ""
}

// parentOf is the parent of a process.
func parentOf(pid int) (parent int) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(status), "\nPPid:")
	fmt.Sscan(rest, &parent)
	return parent
}

// killBoth kills the only mount's keeper, and then its server.
func killBoth(t testing.TB) {
	t.Helper()
	keeper, server := onlyKeeper(t), onlyServer(t)
	syscall.Kill(keeper, syscall.SIGKILL)
	syscall.Kill(server, syscall.SIGKILL)
	if !eventually(5*time.Second, func() bool { return len(servers()) == 0 }) {
		t.Fatalf("processes are left: %v", servers())
	}
}

func (m mountEntry) String() string {
	return fmt.Sprintf("%s %s on %q from %q %s,%s", m.dev, m.kind, m.point, m.source, m.options, m.super)
}
