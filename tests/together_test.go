package tests

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// togetherTime is how long the programs work together, unless DEPLOYFS_TOGETHER says so.
const togetherTime = 3 * time.Second

// TestTogether has the real program and ours commit, pull, prune and check on one repository at the
// same time. Nothing is lost: afterwards every ref leads to the last commit that was said to be
// there, with all that it needs.
func TestTogether(t *testing.T) {
	t.Parallel()
	needRoot(t)
	span := togetherTime
	if text := os.Getenv("DEPLOYFS_TOGETHER"); text != "" {
		var err error
		if span, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, mode := range []string{"archive", "bare"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			newBand(t, mode).play(t, span)
		})
	}
}

// band are the players on one repository.
type band struct {
	dir, repo string
	programs  map[string]string // by the name that stands in branches

	mu     sync.Mutex
	last   map[string]string         // the commit that a branch of one player's own was last said to have
	shared map[string]bool           // commits of the branch that several move
	count  map[string]map[string]int // what was done: verb, then player
	failed []string
}

func newBand(t *testing.T, mode string) *band {
	t.Helper()
	b := &band{
		dir: scratch(t), programs: map[string]string{"real": "ostree", "ours": binary(t, "deployfs")},
		last: map[string]string{}, shared: map[string]bool{}, count: map[string]map[string]int{},
	}
	b.repo = b.dir + "/repo"
	initRepo(t, b.repo, mode)
	ostree(t, b.repo, "config", "set", "core.fsync", "true")
	ostree(t, b.repo, "config", "set", "core.lock-timeout-secs", "30")
	for who := range b.programs {
		initRepo(t, b.path("source", who), "archive")
		initRepo(t, b.path("mirror", who), mode)
		ostree(t, b.path("mirror", who), "config", "set", "core.min-free-space-percent", "0")
	}
	return b
}

func (b *band) path(what, who string) string { return b.dir + "/" + what + "-" + who }

// play has all play for a while, and judges what is left.
func (b *band) play(t *testing.T, span time.Duration) {
	end := time.Now().Add(span)
	var all sync.WaitGroup
	seed := uint64(0)
	for who := range b.programs {
		for _, part := range []func(who string, random *rand.Rand){b.commit, b.commitShared, b.pull, b.pullFrom, b.prune, b.fsck} {
			seed++
			random := rand.New(rand.NewPCG(seed, 7))
			all.Go(func() {
				for time.Now().Before(end) {
					part(who, random)
					time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
				}
			})
		}
	}
	all.Wait()
	for verb, by := range b.count {
		t.Log(verb, by)
	}
	for _, text := range b.failed {
		t.Error(text)
	}
	b.judge(t)
}

// stolenStage is what ostree fails with where another ostree has found the staging directory
// that it was just making, has used it and deleted it.
const stolenStage = "error: opendir(staging-"

// run has a player's program do something on a repository.
func (b *band) run(who, repo string, args ...string) (out string, ok bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.programs[who], append([]string{"--repo=" + repo}, args...)...)
	cmd.Env = cleanEnv()
	var errs strings.Builder
	cmd.Stderr = &errs
	data, err := cmd.Output()
	b.mu.Lock()
	defer b.mu.Unlock()
	verb := args[0]
	if b.count[verb] == nil {
		b.count[verb] = map[string]int{}
	}
	b.count[verb][who]++
	if err != nil && !(who == "real" && strings.Contains(errs.String(), stolenStage)) {
		b.failed = append(b.failed, fmt.Sprintf("%s: %s: %v\n%s", who, strings.Join(args, " "), err, errs.String()))
	}
	return strings.TrimSpace(string(data)), err == nil
}

// said notes the commit that a player's own branch has now.
func (b *band) said(branch, commit string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last[branch] = commit
}

// tree makes a directory whose files hold a few texts of the same few: what one commit leaves to be
// pruned another makes again.
func (b *band) tree(who string, random *rand.Rand) (dir string) {
	dir = b.path("tree", fmt.Sprint(who, random.Uint64()))
	for i := range 12 {
		text := strings.Repeat(fmt.Sprintln("text", random.IntN(30)), 1+random.IntN(2)*2000)
		path := filepath.Join(dir, fmt.Sprint("dir", i%3), fmt.Sprint("file", i))
		os.MkdirAll(filepath.Dir(path), 0o755)
		os.WriteFile(path, []byte(text), 0o644)
	}
	return dir
}

func (b *band) commit(who string, random *rand.Rand) {
	dir := b.tree(who, random)
	defer os.RemoveAll(dir)
	if sum, ok := b.run(who, b.repo, "commit", "-b", "own/"+who, "--tree=dir="+dir); ok {
		b.said("own/"+who, sum)
	}
}

func (b *band) commitShared(who string, random *rand.Rand) {
	dir := b.tree(who, random)
	defer os.RemoveAll(dir)
	if sum, ok := b.run(who, b.repo, "commit", "-b", "shared", "--tree=dir="+dir); ok {
		b.mu.Lock()
		b.shared[sum] = true
		b.mu.Unlock()
	}
}

// pull makes a commit in a repository of the player's own, and pulls it.
func (b *band) pull(who string, random *rand.Rand) {
	dir := b.tree(who, random)
	defer os.RemoveAll(dir)
	source, branch := b.path("source", who), "pulled/"+who
	sum, ok := b.run("real", source, "commit", "-b", branch, "--tree=dir="+dir)
	if !ok {
		return
	}
	if _, ok := b.run(who, b.repo, "pull-local", source, branch); ok {
		b.said(branch, sum)
	}
}

// pullFrom pulls from the repository. The real program does not keep others from deleting meanwhile
// what it pulls, so that it may fail.
func (b *band) pullFrom(who string, _ *rand.Rand) {
	if who == "ours" {
		b.mu.Lock()
		begun := b.last["own/ours"] != ""
		b.mu.Unlock()
		if begun {
			b.run(who, b.path("mirror", who), "pull-local", b.repo, "own/ours")
		}
		return
	}
	exec.Command(b.programs[who], "--repo="+b.path("mirror", who), "pull-local", b.repo, "own/"+who).Run()
}

func (b *band) prune(who string, random *rand.Rand) {
	b.run(who, b.repo, "prune", "--refs-only", fmt.Sprint("--depth=", random.IntN(2)))
}

// fsck checks the repository; the real program takes no lock, and calls missing what is deleted meanwhile.
func (b *band) fsck(who string, _ *rand.Rand) {
	if who == "ours" {
		b.run(who, b.repo, "fsck")
		return
	}
	exec.Command(b.programs[who], "--repo="+b.repo, "fsck").Run()
}

// judge compares what is there with what was said.
func (b *band) judge(t *testing.T) {
	refs := strings.Fields(ostree(t, b.repo, "refs"))
	slices.Sort(refs)
	if want := []string{"own/ours", "own/real", "pulled/ours", "pulled/real", "shared"}; !slices.Equal(refs, want) {
		t.Errorf("refs are %q, want %q", refs, want)
	}
	for branch, want := range b.last {
		if found := ostree(t, b.repo, "rev-parse", branch); found != want {
			t.Errorf("%s is %s, want %s", branch, found, want)
		}
	}
	if tip := ostree(t, b.repo, "rev-parse", "shared"); !b.shared[tip] {
		t.Errorf("shared is %s, which nobody has made", tip)
	}
	for who, program := range b.programs {
		if o := (command{args: []string{program, "--repo=" + b.repo, "fsck"}}).run(t); o.code != 0 {
			t.Errorf("%s: fsck: exit %d\n%s%s", who, o.code, o.out, o.err)
		}
		if o := (command{args: []string{"ostree", "--repo=" + b.path("mirror", who), "fsck"}}).run(t); o.code != 0 {
			t.Errorf("mirror of %s: fsck: exit %d\n%s%s", who, o.code, o.out, o.err)
		}
	}
	for _, ref := range refs {
		if o := (command{args: []string{"ostree", "--repo=" + b.repo, "ls", "-R", ref}}).run(t); o.code != 0 || strings.Count(o.out, "file") != 12 {
			t.Errorf("%s: exit %d\n%s%s", ref, o.code, o.out, o.err)
		}
	}
}
