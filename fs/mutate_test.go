package fs

import (
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"testing"
	"time"

	"deployfs/tests/mutate"
)

const (
	// mutationTime is how long anything may take with a hostile repository.
	mutationTime = 20 * time.Second
	// mutationMemory is how much may be allocated for one in all, in bytes: its
	// files are small, whatever they say.
	mutationMemory = 1 << 30
)

// number reads an environment variable.
func number(t testing.TB, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s=%s: %v", name, text, err)
	}
	return n
}

// TestMutations has everything that reads repositories read hostile ones, made by
// the thousand with DEPLOYFS_MUTATIONS: nothing crashes, hangs, takes much memory
// or leaves the repository, and what is read is what its name says. The change
// that failed is made again with the same DEPLOYFS_MUTATION_SEED and its number
// in DEPLOYFS_MUTATION.
func TestMutations(t *testing.T) {
	if _, err := exec.LookPath("ostree"); err != nil || os.Geteuid() != 0 {
		t.Skip("skipped: it takes root and the real ostree")
	}
	for _, mode := range mutate.Modes {
		t.Run(mode, func(t *testing.T) {
			repo := mutate.New(t, t.TempDir(), mode)
			for _, kind := range mutate.Kinds {
				t.Run(kind, func(t *testing.T) { mutations(t, repo, kind) })
			}
		})
	}
}

// mutations makes all changes of a kind, one after the other.
func mutations(t *testing.T, repo *mutate.Repo, kind string) {
	count := number(t, "DEPLOYFS_MUTATIONS", 100)
	first := uint64(0)
	if kind != "content" { // for the reader it is the same in all modes, which share out the changes
		count = (count + uint64(len(mutate.Modes)) - 1) / uint64(len(mutate.Modes))
		first = count * uint64(slices.Index(mutate.Modes, repo.Mode))
	}
	seed := number(t, "DEPLOYFS_MUTATION_SEED", 1)
	last := first + count
	if os.Getenv("DEPLOYFS_MUTATION") != "" {
		first = number(t, "DEPLOYFS_MUTATION", 0)
		last = first + 1
	}
	u := &user{t: t, repo: repo, dir: t.TempDir()}
	u.begin()
	u.forged = kind == "index"
	start, n := time.Now(), first
	for ; n < last && !t.Failed(); n++ {
		u.mutation(kind, seed, n)
	}
	t.Logf("%d changes with DEPLOYFS_MUTATION_SEED=%d in %s: %d were read whole, %d in part, %d refused", n-first, seed,
		time.Since(start).Round(time.Millisecond), u.whole, u.part, u.refused)
}

// mutation makes one change, uses the repository, and takes the change back.
func (u *user) mutation(kind string, seed, n uint64) {
	what := u.repo.Change(kind, seed, n)
	u.what = fmt.Sprintf("DEPLOYFS_MUTATION_SEED=%d DEPLOYFS_MUTATION=%d: %s %s", seed, n, kind, what)
	watch := time.AfterFunc(mutationTime, func() { panic("hangs: " + u.what) })
	before := allocated()
	func() {
		defer func() {
			if why := recover(); why != nil {
				u.t.Errorf("%s\npanic: %v\n%s", u.what, why, debug.Stack())
			}
		}()
		u.use(n)
	}()
	watch.Stop()
	if bytes := allocated() - before; bytes > mutationMemory {
		u.errorf("%d MiB were allocated", bytes>>20)
	}
	if err := u.repo.Canary.Check(); err != nil {
		u.errorf("%v", err)
	}
	u.repo.Undo()
}

func (u *user) errorf(format string, args ...any) {
	u.t.Helper()
	u.t.Errorf("%s\n%s", u.what, fmt.Sprintf(format, args...))
}

// allocated is how many bytes were allocated in the life of the process.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
