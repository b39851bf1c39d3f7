package tests

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// cost is what a command may take.
type cost struct {
	mib  int
	time time.Duration
}

// within runs a command whose output is not wanted, which has to succeed, and checks what it took.
func (c cost) within(t *testing.T, args ...string) {
	t.Helper()
	if errors := c.of(t, args...); errors != "" {
		t.Errorf("%s: %s", args, errors)
	}
}

// refused runs a command that has to give up with these words, and checks what it took.
func (c cost) refused(t *testing.T, words string, args ...string) {
	t.Helper()
	if said := c.of(t, args...); !strings.Contains(said, words) {
		t.Errorf("%s: %q, want %q", args, said, words)
	}
}

// of runs a command, checks what it took, and returns what it says on stderr.
func (c cost) of(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary(t, "deployfs"), args...)
	var errors strings.Builder
	cmd.Dir, cmd.Env, cmd.Stderr = work, cleanEnv(), &errors
	start, peak, ended := time.Now(), 0, make(chan error)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- cmd.Wait() }()
	for {
		select { // what wait4(2) tells of memory begins with that of the process that forked
		case err := <-ended:
			if c.check(t, strings.Join(args, " "), peak>>10, time.Since(start)); err != nil && errors.Len() == 0 {
				t.Errorf("%s: %v", args, err)
			}
			return errors.String()
		case <-time.After(2 * time.Millisecond):
			peak = max(peak, memoryNow(cmd.Process.Pid))
		}
		if time.Since(start) > deadline {
			cmd.Process.Kill()
		}
	}
}

// memoryNow is the most memory that a process had, in KiB; 0 when it has ended.
func memoryNow(pid int) int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, ok := strings.Cut(string(status), "VmHWM:")
	if !ok {
		return 0
	}
	kib, _ := strconv.Atoi(strings.Fields(rest)[0])
	return kib
}

// check compares what something took with what it may take. The race detector takes as much again.
func (c cost) check(t *testing.T, what string, mib int, took time.Duration) {
	t.Helper()
	t.Logf("%s: %d MiB, %s", what, mib, took.Round(time.Millisecond))
	if os.Getenv("DEPLOYFS_RACE") == "" && (mib > c.mib || took > c.time) {
		t.Errorf("%s: took %d MiB and %s, may take %d MiB and %s", what, mib, took, c.mib, c.time)
	}
}

// server checks what a server took since start.
func (c cost) server(t *testing.T, what string, f *foreground, start time.Time) {
	t.Helper()
	c.check(t, what, peakMemory(t, f.cmd.Process.Pid)>>10, time.Since(start))
}

// TestCostOfSizes reads many files at once that say they are as large as a metadata object may be, and
// take no disk: they are read one at a time.
func TestCostOfSizes(t *testing.T) {
	f := newForge(t)
	const n = 8
	var dirs []gv
	for i := range n {
		tree := fmt.Sprintf("%064x", i+1)
		f.write(tree, "dirtree", nil)
		if err := os.Truncate(objectPath(f.repo, tree, "dirtree"), 128<<20); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, gvDir(fmt.Sprintf("d%02d", i), raw(tree), raw(f.dirmeta())))
	}
	server := hostileTree(t, f, map[string]string{}, dirs)
	start := time.Now()
	var readers sync.WaitGroup
	for i := range n {
		readers.Go(func() {
			if err := listError(fmt.Sprintf("%s/d%02d", server.dir, i)); err == nil {
				t.Error("a directory of zeroes is listed")
			}
		})
	}
	readers.Wait()
	cost{700, 50 * time.Second}.server(t, "8 sparse dirtrees of 128 MiB", server, start)
}

// TestCostOfEntries lists a directory with more entries than fit the memory for directories.
func TestCostOfEntries(t *testing.T) {
	f := newForge(t)
	const n = 300_000
	sum := raw(f.file(plainFile, []byte("good bytes\n")))
	list := make([]gv, n)
	for i := range list {
		list[i] = gvFile(fmt.Sprintf("%09d", i), sum)
	}
	many := gvDir("many", raw(f.meta("dirtree", gvTree(list, nil))), raw(f.dirmeta()))
	server := hostileTree(t, f, map[string]string{}, []gv{many}, "--no-index", "--memory=4M")
	start := time.Now()
	if data, err := os.ReadFile(server.dir + "/many/000299999"); err != nil || string(data) != "good bytes\n" {
		t.Errorf("the last of many: %q, %v", data, err)
	}
	cost{150, 5 * time.Second}.server(t, "a look at one of 300,000 entries", server, start)
	dir, err := os.Open(server.dir + "/many")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if names, err := dir.Readdirnames(-1); err != nil || len(names) != n {
		t.Errorf("%d entries are listed, %v", len(names), err)
	}
	cost{250, 40 * time.Second}.server(t, "a list of 300,000 entries", server, start)
}

// TestCostOfDepth goes through a tree that is deeper than anybody wants, with names as long as they get.
func TestCostOfDepth(t *testing.T) {
	f := newForge(t)
	meta, name := f.dirmeta(), strings.Repeat("n", 255)
	absent := strings.Repeat("ab", 32)
	tree := f.meta("dirtree", gvTree([]gv{gvFile("absent", raw(absent))}, nil))
	for range 3999 {
		tree = f.meta("dirtree", gvTree(nil, []gv{gvDir(name, raw(tree), raw(meta))}))
	}
	commit := f.commit(tree, meta)
	cost{150, 20 * time.Second}.within(t, "index", "--repo="+f.repo, commit)
	for _, option := range []string{"--no-index", "--verify=always"} {
		start := time.Now()
		server := mountedForeground(t, "--repo="+f.repo, option, commit)
		depth, fd, err := descend(server.dir, name, 3999)
		if err != nil {
			t.Fatalf("%s: stopped at %d: %v", option, depth, err)
		}
		for range 20 {
			var st syscall.Stat_t
			if err := syscall.Lstat(fmt.Sprintf("/proc/self/fd/%d/absent", fd), &st); err != syscall.EIO {
				t.Errorf("%s: the bottom: %v, want EIO", option, err)
			}
		}
		syscall.Close(fd)
		cost{150, 20 * time.Second}.server(t, "4,000 levels with "+option, server, start)
		if lines := server.logged(absent, name+"/absent"); len(lines) != 1 || len(lines[0]) > 6000 {
			t.Errorf("%s: want one line of no more than 6000 bytes, got %d of %d", option, len(lines), len(strings.Join(lines, "")))
		}
	}
}

// TestCostOfCommit looks at a commit with as much metadata as one may have.
func TestCostOfCommit(t *testing.T) {
	f := newForge(t)
	value := gv{data: append(make([]byte, 60<<20), 0, 'a', 'y'), align: 8}
	metadata := gvArray(8, gv{data: gvTuple(gvString("k"), value).data, align: 8}).data
	commit := f.meta("commit", gvCommit(metadata, nil, raw(f.dir(nil, nil)), raw(f.dirmeta())))
	start := time.Now()
	server := mountedForeground(t, "--repo="+f.repo, commit)
	cost{200, 20 * time.Second}.server(t, "mount", server, start)
	for _, verb := range []string{"ls", "log", "show", "rev-parse", "index", "blame"} {
		cost{200, 20 * time.Second}.within(t, verb, "--repo="+f.repo, commit)
	}
	cost{200, 20 * time.Second}.within(t, "find", "--repo="+f.repo, "x", commit)
}

// TestCostOfBomb reads a file that is as large as it says, and a thousandth of that in the repository.
func TestCostOfBomb(t *testing.T) {
	f := newForge(t)
	zeroes := make([]byte, 256<<20)
	sum := f.file(plainFile, zeroes)
	server := hostileTree(t, f, map[string]string{"zeroes": sum}, nil, "--cache-size=16M")
	start := time.Now()
	file, err := os.Open(server.dir + "/zeroes")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	buf := make([]byte, 4096)
	for _, at := range []int64{0, 255 << 20, 100 << 20} {
		if n, err := file.ReadAt(buf, at); n != len(buf) || string(buf) != string(zeroes[:n]) {
			t.Errorf("at %d: %d bytes, %v", at, n, err)
		}
	}
	cost{200, 40 * time.Second}.server(t, "256 MiB of zeroes", server, start)
}

// doubled is a commit of few objects and many entries: each directory has another twice, and the last
// one so many files.
func (f forge) doubled(levels, files int) (commit string) {
	meta, sum := f.dirmeta(), raw(f.file(plainFile, []byte("good bytes\n")))
	list := make([]gv, files)
	for i := range list {
		list[i] = gvFile(fmt.Sprintf("%09d", i), sum)
	}
	tree := f.meta("dirtree", gvTree(list, nil))
	for range levels {
		tree = f.meta("dirtree", gvTree(nil, []gv{gvDir("a", raw(tree), raw(meta)), gvDir("b", raw(tree), raw(meta))}))
	}
	return f.commit(tree, meta)
}

// TestCostOfSharing compares trees with more entries than there is memory for.
func TestCostOfSharing(t *testing.T) {
	f := newForge(t)
	empty, huge, deep, large := f.doubled(0, 0), f.doubled(40, 2000), f.doubled(40, 0), f.doubled(13, 1)
	for _, test := range []struct{ options, to string }{
		{"--fs-diff", huge}, {"-M", huge}, {"--json", huge}, {"--name-status --stat", huge}, {"--stat", deep},
	} {
		args := append([]string{"diff", "--repo=" + f.repo, empty, test.to}, strings.Fields(test.options)...)
		cost{1200, 15 * time.Second}.refused(t, "too many entries to list", args...)
	}
	for _, option := range []string{"--name-status", "-p", "--stat"} { // what needs no list holds nothing
		cost{100, 10 * time.Second}.within(t, "diff", "--repo="+f.repo, option, empty, large)
	}
}

// TestCostOfDoubling looks into a tree of 26 dirtrees and more paths than anybody has memory for.
func TestCostOfDoubling(t *testing.T) {
	f := newForge(t)
	meta, repo := f.dirmeta(), "--repo="+f.repo
	tree := f.dir(nil, nil)
	for range 26 {
		tree = f.dir(nil, map[string]string{"a": tree, "b": tree})
	}
	ostree(t, f.repo, "refs", "--create=m", f.commit(tree, meta))
	for line, wants := range map[string]string{
		"find a": "too many entries to list", "find --json a m": "too many entries to list", "find c m": "",
		"log --stat m": "too many changes to count", "blame -r m": "too many entries to list", "blame m": "",
		"du m": "", "du -d 99 --json m": "too many directories to list", "df": "",
	} {
		c := cost{700, 15 * time.Second}
		if out := c.of(t, append(strings.Fields(line), repo)...); !strings.Contains(out, wants) || wants == "" && out != "" {
			t.Errorf("%s: %q, want %q", line, out, wants)
		}
	}
}
