package tests

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// pullNetwork is an archive with one commit that badServers serve.
func pullNetwork(t testing.TB) (repo, sum string) {
	t.Helper()
	repo = sharedRepo(t, "archive", "plain")
	return repo, strings.TrimSpace(refsOf(t, repo)["/refs/heads/plain"])
}

// puller is an empty repository with a remote.
type puller struct {
	t    testing.TB
	repo string
}

func newPuller(t testing.TB, mode, url string) puller {
	t.Helper()
	p := puller{t, filepath.Join(scratch(t), "repo")}
	for _, dir := range []string{"objects", "refs/heads", "refs/remotes", "refs/mirrors", "state", "tmp/cache", "extensions"} {
		if err := os.MkdirAll(filepath.Join(p.repo, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	config := "[core]\nrepo_version=1\nmode=" + mode + "\nmin-free-space-percent=0\n[remote \"origin\"]\ngpg-verify=false\nurl=" + url + "\n"
	if err := os.WriteFile(p.repo+"/config", []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p puller) command(options ...string) command {
	p.t.Helper()
	return command{args: append([]string{binary(p.t, "deployfs"), "pull", "--repo=" + p.repo, "origin", "plain"}, options...)}
}

// showsNothing fails the test when a pull that failed has left a name, or a commit that is not marked
// as partial.
func (p puller) showsNothing() {
	p.t.Helper()
	if refs := refsOf(p.t, p.repo); len(refs) > 0 {
		p.t.Errorf("refs: %q", refs)
	}
	commits, _ := filepath.Glob(p.repo + "/objects/??/*.commit")
	for _, path := range commits {
		sum := filepath.Base(filepath.Dir(path)) + strings.TrimSuffix(filepath.Base(path), ".commit")
		if _, err := os.Lstat(p.repo + "/state/" + sum + ".commitpartial"); err != nil {
			p.t.Errorf("commit %s is there, and is not partial: %v", sum, err)
		}
	}
}

// goesOn fails the test unless the next pull, from a good server, brings what is left.
func (p puller) goesOn(url, sum string) {
	p.t.Helper()
	if o := p.command("--url=" + url).run(p.t); o.code != 0 {
		p.t.Errorf("the next pull: exit %d, %s", o.code, o.err)
		return
	}
	p.holds(sum)
}

// holds fails the test unless the whole commit is there, as the real ostree sees it.
func (p puller) holds(sum string) {
	p.t.Helper()
	if got := strings.TrimSpace(refsOf(p.t, p.repo)["/refs/remotes/origin/plain"]); got != sum {
		p.t.Errorf("origin:plain is %q, want %q", got, sum)
	}
	if out := ostree(p.t, p.repo, "fsck"); !strings.Contains(out, "object fsck of 1 commits completed successfully") {
		p.t.Errorf("ostree fsck: %s", out)
	}
	if left, _ := filepath.Glob(p.repo + "/state/*.commitpartial"); len(left) > 0 {
		p.t.Errorf("left: %q", left)
	}
}

// TestPullBadNetwork has pulls go well in spite of the network.
func TestPullBadNetwork(t *testing.T) {
	t.Parallel()
	repo, sum := pullNetwork(t)
	for name, wrong := range map[string]mischief{
		"cut off":               once(cutOff),
		"cut off, no ranges":    once(noRanges),
		"half of each object":   of("z", cutOff),
		"hung up":               once(hangUp),
		"error 500":             once(status(500)),
		"slow, length not told": drip,
		"elsewhere":             elsewhere,
		"more than the content": of("z", send(extended)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPuller(t, "archive", serveBadly(t, repo, wrong).URL)
			if o := p.command().run(t); o.code != 0 || o.err != "" {
				t.Fatalf("exit %d, %s", o.code, o.err)
			}
			p.holds(sum)
		})
	}
}

// TestPullBadServer has pulls fail that must, with nothing to be seen of them, and the next one go on.
func TestPullBadServer(t *testing.T) {
	t.Parallel()
	repo, sum := pullNetwork(t)
	good := serveBadly(t, repo, nil)
	for _, c := range []struct {
		name  string
		wrong mischief
		want  string
	}{
		{"circles", inCircles, "[47] Number of redirects hit maximum amount"},
		{"no ref", of("plain", status(404)), "Server returned HTTP 404"},
		{"no dirtree", of(".dirtree", status(404)), "Server returned HTTP 404"},
		{"no content", of(".filez", status(403)), "Server returned HTTP 403"},
		{"busy", of(".filez", status(503)), "Server returned HTTP 503"},
		{"always 500", of(".dirmeta", status(500)), "Server returned HTTP 500"},
		{"always hung up", of(".filez", hangUp), "[52] Server returned nothing (no headers, no data)"},
		{"never more than half", of(".filez", noRanges), "[18] Transferred a partial file"},
		{"portal", send(portal), "Invalid rev <html>"},
		{"portal for content", of(".filez", send(portal)), "File header size 1013478509 exceeds size "},
		{"wrong commit", of(".commit", send(bitOff)), "Corrupted commit object; checksum expected='" + sum + "' actual='"},
		{"wrong dirmeta", of(".dirmeta", send(bitOff)), "Corrupted dirmeta object; checksum expected='"},
		{"wrong content", of(".filez", send(bitOff)), ""},
		{"half a commit", of(".commit", send(half)), "Corrupted commit object; checksum expected='"},
		{"half a content", of(".filez", send(half)), ""},
		{"more of a dirtree", of(".dirtree", send(extended)), "Corrupted dirtree object; checksum expected='"},
		{"no bytes", of(".filez", send(empty)), ""},
		{"longer than it says", of(".filez", tooMuch), ""},
		{"another part", of(".filez", otherPart), ""},
		{"endless ref", of("plain", endless), "exceeded maximum size of "},
		{"endless content", of(".filez", endless), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPuller(t, "archive", serveBadly(t, repo, c.wrong).URL)
			o := p.command("--network-retries=1").run(t)
			if o.code != 1 || !strings.HasPrefix(o.err, "error: ") || !strings.Contains(o.err, c.want) {
				t.Errorf("exit %d, %swant %s", o.code, o.err, c.want)
			}
			p.showsNothing()
			p.goesOn(good.URL, sum)
		})
	}
}

// TestPullStopped interrupts a pull whose server has stopped to answer: it ends at once, and the next
// one does not ask again for what has come.
func TestPullStopped(t *testing.T) {
	t.Parallel()
	repo, sum := pullNetwork(t)
	var left atomic.Int32
	left.Store(12)
	server := serveBadly(t, repo, of(".filez", func(w http.ResponseWriter, a asked) bool {
		return left.Add(-1) < 0 && silent(w, a)
	}))
	p := newPuller(t, "bare-user-only", server.URL)
	c := p.command()
	cmd := exec.Command(c.args[0], c.args[1:]...)
	cmd.Env = cleanEnv()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); left.Load() >= 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // for what is under way
	began := time.Now()
	_ = cmd.Process.Signal(os.Interrupt)
	err := cmd.Wait()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("it ended with %v", err)
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("it ended after %v", d)
	}
	p.showsNothing()
	all := serveBadly(t, repo, nil)
	p.goesOn(all.URL, sum)
	if first, rest := server.objects(), all.objects(); rest >= first {
		t.Errorf("%d objects were asked for, and then %d", first, rest)
	}
}

// TestPullDiskFull has a pull run into the end of the disk, and go on when there is more of it.
func TestPullDiskFull(t *testing.T) {
	t.Parallel()
	needRoot(t)
	src := newRepo(t, "archive")
	p := &plot{root: scratch(t) + "/tree"}
	p.dir(".")
	for i, name := range []string{"a", "b", "c", "d", "e"} {
		p.file(name, noise(uint64(i), 300_000))
	}
	if p.err != nil {
		t.Fatal(p.err)
	}
	commit(t, src, "plain", p.root, "--canonical-permissions")
	server := serveBadly(t, src, nil)
	const script = `set -e
mount -t tmpfs -o "$4,mode=755" none "$1"
cp -a "$2/." "$1"
if "$3" pull --repo="$1" origin plain; then echo "the disk was large enough"; fi
test -z "$(find "$1/refs" -type f)" || echo "a ref is there"
mount -o remount,size=64m,nr_inodes=1k "$1"
ostree --repo="$1" fsck -q >/dev/null
"$3" pull --repo="$1" origin plain >/dev/null
ostree --repo="$1" fsck | tail -n 1`
	for limit, want := range map[string]string{
		"size=1m":      "min-free-space-percent '0%' would be exceeded",
		"nr_inodes=24": "No space left on device",
	} {
		t.Run(limit, func(t *testing.T) {
			t.Parallel()
			to := newPuller(t, "bare-user-only", server.URL)
			o := command{args: []string{"unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", scratch(t), to.repo, binary(t, "deployfs"), limit}}.run(t)
			if o.code != 0 || o.out != "object fsck of 1 commits completed successfully - no errors found.\n" || !strings.Contains(o.err, want) {
				t.Errorf("exit %d\n%s%s", o.code, o.out, o.err)
			}
		})
	}
}
