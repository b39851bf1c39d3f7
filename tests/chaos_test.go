package tests

import (
	"crypto/sha256"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// chaosKills is how many servers are killed in all, unless $DEPLOYFS_CHAOS says another number.
const (
	chaosKills    = 140
	chaosUpgrades = 20
	longestStall  = 5 * time.Second
	// killsWindow may hold one death less than makes a keeper pause.
	killsWindow, killsInWindow = 10 * time.Second, 4
)

// chaosKinds are the ways to serve that are put through it, at the same time.
var chaosKinds = []struct {
	name, mode string
	options    []string
}{
	{"cached archive", "archive", nil},
	{"cached bare", "bare", []string{"--data=cached"}},
	{"without an index", "bare-user", []string{"--no-index"}},
	{"passthrough bare", "bare", []string{"--data=passthrough"}},
	{"passthrough archive", "archive", []string{"--data=passthrough"}},
	{"each open verified", "bare", []string{"--verify=always"}},
	{chaosHistory, "archive", []string{"--history"}},
}

// chaosHistory is the kind that shows a whole history.
const chaosHistory = "history"

// TestChaos kills servers at random moments and upgrades them, while readers of every kind are at it: no read
// fails, none is wrong, and none waits long.
func TestChaos(t *testing.T) {
	needRoot(t)
	kills := chaosKills
	if os.Getenv("DEPLOYFS_RACE") == "1" {
		kills /= 5 // the race detector makes each start slow
	}
	fmt.Sscan(os.Getenv("DEPLOYFS_CHAOS"), &kills)
	g := growChaos(t)
	var mounts []*chaosMount
	for _, m := range chaosKinds {
		repo := newRepo(t, m.mode)
		commit(t, repo, "main", g.root)
		args := append([]string{"--repo=" + repo}, m.options...)
		if m.name != chaosHistory {
			args = append(args, "main")
		}
		v := newChaosMount(t, m.name, mounted(t, args...))
		if m.name == chaosHistory {
			v.tree += "/refs/main"
		}
		mounts = append(mounts, v)
	}
	var readers, killers sync.WaitGroup
	var ended atomic.Bool
	total := &tally{}
	for _, v := range mounts {
		for _, read := range chaosReaders {
			r := &chaosReader{grove: g, mount: v, tally: total, random: rand.New(rand.NewSource(int64(len(v.name)))), ended: &ended}
			readers.Go(func() { r.loop(read) })
		}
		killers.Go(func() { v.killing((kills+len(mounts)-1)/len(mounts), chaosUpgrades/len(mounts)+1) })
	}
	forgetting := forgetAgain(t, &ended)
	killers.Wait()
	ended.Store(true)
	readers.Wait()
	<-forgetting
	total.report(t)
	for _, v := range mounts {
		v.inspect()
	}
}

// chaosMount is a mount whose servers are killed.
type chaosMount struct {
	t                 *testing.T
	name, dir, tree   string // tree is where readers read
	keeper            int
	last              int // server that was killed
	kills, upgrades   int
	memory, openFiles int // of the keeper, when it began
}

func newChaosMount(t *testing.T, name, dir string) *chaosMount {
	for _, r := range mountRecords(t) {
		if r.Mountpoint == dir {
			return &chaosMount{t: t, name: name, dir: dir, tree: dir, keeper: r.Keeper, memory: memoryOf(r.Keeper), openFiles: descriptors(r.Keeper)}
		}
	}
	t.Fatalf("%s: not listed", name)
	return nil
}

// killing kills this many servers, and upgrades some between.
func (v *chaosMount) killing(kills, upgrades int) {
	random := rand.New(rand.NewSource(int64(kills)))
	var last [killsInWindow]time.Time
	for i := range kills {
		pause := time.Duration(random.Intn(1500)) * time.Millisecond
		if wait := time.Until(last[i%killsInWindow].Add(killsWindow)); wait > 0 {
			pause = max(pause, wait+time.Duration(random.Intn(200))*time.Millisecond)
		}
		time.Sleep(pause)
		if i%(max(kills/upgrades, 1)) == 0 {
			if o := deployfs(v.t, "upgrade", v.dir); o.code != 0 {
				v.t.Errorf("%s: upgrade: %s", v.name, o.err)
			}
			v.upgrades++
		}
		for !v.kill() {
			time.Sleep(time.Millisecond)
		}
		last[i%killsInWindow] = time.Now()
	}
}

// kill kills the server that runs now, in whatever state it is, unless it was killed already.
func (v *chaosMount) kill() bool {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", v.keeper))
	for _, task := range tasks {
		children, _ := os.ReadFile(task)
		var pid int
		if fmt.Sscan(string(children), &pid); pid != 0 && pid != v.last && verbOf(pid) == "serve" {
			v.last = pid
			v.kills++
			return syscall.Kill(pid, syscall.SIGKILL) == nil
		}
	}
	return false
}

// inspect compares the mount's own count with what was done to it, and what its keeper takes.
func (v *chaosMount) inspect() {
	for _, r := range mountRecords(v.t) {
		if r.Mountpoint != v.dir {
			continue
		}
		v.t.Logf("%s: %d kills, %d upgrades; keeper: %d KiB and %d descriptors at first, %d and %d at last; server: %d KiB",
			v.name, v.kills, v.upgrades, v.memory, v.openFiles, memoryOf(v.keeper), descriptors(v.keeper), memoryOf(r.Pid))
		if r.Restarts != v.kills || r.Upgrades != v.upgrades || r.Errors != 0 || r.Keeper != v.keeper {
			v.t.Errorf("%s: %d restarts after %d kills, %d upgrades after %d, %d errors", v.name, r.Restarts, v.kills, r.Upgrades, v.upgrades, r.Errors)
		}
		if n := descriptors(v.keeper); n > v.openFiles+2 { // the index came later
			v.t.Errorf("%s: its keeper has %d descriptors, had %d", v.name, n, v.openFiles)
		}
		if n := memoryOf(v.keeper); n > v.memory+12<<10 && os.Getenv("DEPLOYFS_RACE") == "" {
			v.t.Errorf("%s: its keeper has %d KiB, had %d", v.name, n, v.memory)
		}
	}
}

// memoryOf is the resident memory of a process in KiB, without what it shares.
func memoryOf(pid int) int {
	var size, resident, shared int
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fmt.Sscan(string(data), &size, &resident, &shared)
	return (resident - shared) * os.Getpagesize() / 1024
}

// forgetAgain makes the kernel forget what it knows, over and over, so that servers are asked.
func forgetAgain(t *testing.T, ended *atomic.Bool) chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !ended.Load() {
			dropCaches(t)
			time.Sleep(300 * time.Millisecond)
		}
	}()
	return done
}

// grove is the tree that is read.
type grove struct {
	root  string
	files []string // below root
	sums  map[string][sha256.Size]byte
	sizes map[string]int64
	names []string // in the wide directory
	big   []byte
}

func growChaos(t *testing.T) *grove {
	g := &grove{root: scratch(t), sums: map[string][sha256.Size]byte{}, sizes: map[string]int64{}}
	random := rand.New(rand.NewSource(1))
	write := func(path string, data []byte) {
		os.MkdirAll(filepath.Dir(g.root+"/"+path), 0o755)
		if err := os.WriteFile(g.root+"/"+path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		g.files = append(g.files, path)
		g.sums[path], g.sizes[path] = sha256.Sum256(data), int64(len(data))
	}
	for i := range 400 {
		write(fmt.Sprintf("d%d/s%d/file%d", i%10, i%3, i), noise(uint64(i), random.Intn(60000)))
	}
	for i := range 800 {
		g.names = append(g.names, "entry-with-a-rather-long-name-"+strconv.Itoa(i))
		write("wide/"+g.names[i], noise(uint64(i), 100))
	}
	g.big = noise(7, 6<<20)
	write("big", g.big)
	return g
}

// tally collects what readers have seen.
type tally struct {
	ops, failed atomic.Int64
	longest     atomic.Int64 // nanoseconds
	mu          sync.Mutex
	errors      []string
}

func (c *tally) add(d time.Duration, err error) {
	c.ops.Add(1)
	for {
		was := c.longest.Load()
		if int64(d) <= was || c.longest.CompareAndSwap(was, int64(d)) {
			break
		}
	}
	if err != nil && c.failed.Add(1) <= 20 {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.errors = append(c.errors, err.Error())
	}
}

func (c *tally) report(t *testing.T) {
	longest := time.Duration(c.longest.Load())
	t.Logf("%d operations, %d failed or wrong, longest wait %v", c.ops.Load(), c.failed.Load(), longest.Round(time.Millisecond))
	for _, e := range c.errors {
		t.Error(e)
	}
	if longest > longestStall {
		t.Errorf("an operation took %v", longest)
	}
}
