package tests

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// leased is a repository of two commits that have little in common, of which the older, which no ref
// names, is mounted.
type leased struct {
	repo, old, tip string
	want           map[string]entry // of the older
	*foreground
}

func newLeased(t *testing.T, mode string, options ...string) leased {
	t.Helper()
	p := &plot{root: scratch(t)}
	if growWounded(p); p.err != nil {
		t.Fatal(p.err)
	}
	l := leased{repo: newRepo(t, mode), want: snapshot(t, p.root)}
	ostree(t, l.repo, "config", "set", "core.lock-timeout-secs", "1")
	l.old = commit(t, l.repo, "main", p.root)
	other := scratch(t)
	if err := os.WriteFile(other+"/new", []byte("of the new commit"), 0o644); err != nil {
		t.Fatal(err)
	}
	l.tip = commit(t, l.repo, "main", other)
	l.foreground = mountedForeground(t, append(options, "--repo="+l.repo, l.old)...)
	return l
}

// prune runs our verb, which must not wait for the mount.
func (l leased) prune(t *testing.T, args ...string) outcome {
	t.Helper()
	return deployfs(t, append([]string{"--repo=" + l.repo, "prune", "--refs-only", "--depth=0"}, args...)...)
}

func (l leased) holdsOld() bool { return modeOf(objectPath(l.repo, l.old, "commit")) != 0 }

// TestLease: our prune keeps what is mounted, says so in one line, and takes it once it is not.
func TestLease(t *testing.T) {
	for name, options := range map[string][]string{"locked": nil, "no-lock": {"--no-lock"}} {
		t.Run(name, func(t *testing.T) {
			l := newLeased(t, "archive", options...)
			o := l.prune(t)
			want := "kept a commit that is mounted: " + l.old[:12] + " at " + l.dir + " (--force deletes what is mounted, too)\n"
			if o.code != 0 || !strings.HasSuffix(o.out, "No unreachable objects\n") || o.err != want {
				t.Errorf("exit %d %q %q, want %q", o.code, o.out, o.err, want)
			}
			if o := l.prune(t, "--commit-only"); o.code != 0 || !l.holdsOld() {
				t.Errorf("--commit-only: exit %d %q", o.code, o.err)
			}
			dropCaches(t)
			same(t, l.want, snapshot(t, l.dir))
			ostree(t, l.repo, "fsck", "-q")
			umounted(t, l.dir)
			if o := l.prune(t); o.code != 0 || o.err != "" || l.holdsOld() || strings.HasSuffix(o.out, "No unreachable objects\n") {
				t.Errorf("unmounted: exit %d %q %q", o.code, o.out, o.err)
			}
			ostree(t, l.repo, "fsck", "-q")
		})
	}
}

// TestLeaseSilent: a commit that is kept anyway is no news.
func TestLeaseSilent(t *testing.T) {
	l := newLeased(t, "archive")
	o := deployfs(t, "--repo="+l.repo, "prune")
	if o.code != 0 || !strings.HasSuffix(o.out, "No unreachable objects\n") || o.err != "" {
		t.Errorf("exit %d %q %q", o.code, o.out, o.err)
	}
}

// TestLeaseUnseen: a mount that only its lease tells of is kept, too.
func TestLeaseUnseen(t *testing.T) {
	l := newLeased(t, "bare")
	script := `mount --make-rprivate / && umount -l "$1" && mount -t tmpfs tmpfs /run && exec "$2" --repo="$3" prune --refs-only --depth=0`
	o := command{args: []string{"unshare", "-m", "bash", "-c", script, "-", l.dir, binary(t, "deployfs"), l.repo}}.run(t)
	if o.code != 0 || !strings.Contains(o.err, "kept a commit that is mounted: "+l.old[:12]+" at a mountpoint that can't be seen") || !l.holdsOld() {
		t.Errorf("exit %d %q %q", o.code, o.out, o.err)
	}
	dropCaches(t)
	same(t, l.want, snapshot(t, l.dir))
}

// TestLeaseAgainstOstree: the real program still waits for a mount that has a lease.
func TestLeaseAgainstOstree(t *testing.T) {
	l := newLeased(t, "archive")
	o := command{args: []string{"ostree", "--repo=" + l.repo, "prune", "--refs-only", "--depth=0"}}.run(t)
	if o.code != 1 || !strings.Contains(o.err, "Locking repo exclusive failed") || !l.holdsOld() {
		t.Errorf("exit %d %q %q", o.code, o.out, o.err)
	}
}

// TestLeaseDelete: a mounted commit is not deleted by name either.
func TestLeaseDelete(t *testing.T) {
	for _, options := range [][]string{nil, {"--no-lock"}} {
		l := newLeased(t, "archive", options...)
		before := readText(t, l.repo+"/config")
		o := l.prune(t, "--delete-commit="+l.old)
		if o.code != 1 || !strings.HasPrefix(o.err, "error: Commit '"+l.old+"' is mounted\nhint: it is at "+l.dir) || !l.holdsOld() {
			t.Errorf("exit %d %q %q", o.code, o.out, o.err)
		}
		if readText(t, l.repo+"/config") != before {
			t.Error("the configuration changed")
		}
		if o := l.prune(t, "--delete-commit="+l.old, "--force"); o.code != 0 || o.err != "" || l.holdsOld() {
			t.Errorf("forced: exit %d %q %q", o.code, o.out, o.err)
		}
	}
}

// TestPruneUnderMount takes a mounted commit away: what the kernel holds stays readable, what is gone
// is an input/output error with the reason in the log, and no byte is ever wrong.
func TestPruneUnderMount(t *testing.T) {
	for _, mode := range []string{"archive", "bare", "bare-user"} {
		for by, options := range map[string][]string{"deployfs": nil, "deployfs-no-lock": {"--no-lock"}, "ostree": {"--no-lock"}} {
			t.Run(mode+"-"+by, func(t *testing.T) {
				l := newLeased(t, mode, append(options, "--no-index")...)
				good := readText(t, l.dir+"/good/file")
				held, err := os.Open(l.dir + "/small")
				if err != nil {
					t.Fatal(err)
				}
				defer held.Close()
				first, err := os.ReadFile(l.dir + "/small")
				if err != nil {
					t.Fatal(err)
				}
				if by == "ostree" {
					ostree(t, l.repo, "prune", "--refs-only", "--depth=0")
				} else if o := l.prune(t, "--force"); o.code != 0 || o.err != "" {
					t.Fatal(o)
				}
				if l.holdsOld() {
					t.Fatal("the commit is still there")
				}
				if again := readText(t, l.dir+"/good/file"); again != good {
					t.Errorf("good/file is %q now", again)
				}
				buf := make([]byte, len(first))
				if n, err := held.ReadAt(buf, 0); err != nil || !bytes.Equal(buf[:n], first) {
					t.Errorf("an open file: %q, %v", buf[:n], err)
				}
				l.checkGone(t, "large", noise(8, 3<<20))
				l.checkGone(t, "meta/inside", []byte("in a directory with its own dirmeta\n"))
				if l.ended() {
					t.Error("the server died")
				}
			})
		}
	}
}

// checkGone reads a file that nobody has read before.
func (l leased) checkGone(t *testing.T, name string, want []byte) {
	t.Helper()
	data, err := os.ReadFile(l.dir + "/" + name)
	switch {
	case err == nil && bytes.Equal(data, want):
		t.Logf("%s was held", name)
	case err == nil:
		t.Errorf("%s: wrong bytes", name)
	case !errors.Is(err, unix.EIO):
		t.Errorf("%s: %v, want EIO", name, err)
	case len(l.logged(" path=/"+strings.Split(name, "/")[0]+" object=")) == 0:
		t.Errorf("%s: no reason in the log: %s", name, l.lines())
	}
}

// TestLostLease: while a commit that was forced out is still mounted, what it needs is not known.
func TestLostLease(t *testing.T) {
	l := newLeased(t, "archive")
	if o := l.prune(t, "--force"); o.code != 0 {
		t.Fatal(o)
	}
	o := l.prune(t)
	if o.code != 1 || !strings.HasPrefix(o.err, "error: Locking repo exclusive failed: a mount shows a commit") || !strings.Contains(o.err, "\nhint: unmount it") {
		t.Errorf("exit %d %q %q", o.code, o.out, o.err)
	}
	if o := l.prune(t, "--force"); o.code != 0 {
		t.Errorf("forced: exit %d %q", o.code, o.err)
	}
	umounted(t, l.dir)
	if o := l.prune(t); o.code != 0 {
		t.Errorf("unmounted: exit %d %q", o.code, o.err)
	}
}

// TestPruneLock: a lease lets nobody in who was kept out before.
func TestPruneLock(t *testing.T) {
	l := newLeased(t, "archive")
	const below = 1 << 62 // what our prune locks
	for what, c := range map[string]struct {
		lock unix.Flock_t
		args []string
		want string
	}{
		"prune beside a writer":          {unix.Flock_t{Type: unix.F_RDLCK}, []string{binary(t, "deployfs"), "--repo=" + l.repo, "prune", "--force"}, "Locking repo exclusive failed"},
		"prune beside prune":             {unix.Flock_t{Type: unix.F_WRLCK, Len: below}, []string{binary(t, "deployfs"), "--repo=" + l.repo, "prune"}, "Locking repo exclusive failed"},
		"ostree's prune beside prune":    {unix.Flock_t{Type: unix.F_WRLCK, Len: below}, []string{"ostree", "--repo=" + l.repo, "prune"}, "Locking repo exclusive failed"},
		"ostree's commit beside prune":   {unix.Flock_t{Type: unix.F_WRLCK, Len: below}, []string{"ostree", "--repo=" + l.repo, "commit", "-b", "x", "--tree=dir=" + scratch(t)}, "Locking repo shared failed"},
		"a new mount beside prune":       {unix.Flock_t{Type: unix.F_WRLCK, Len: below}, []string{binary(t, "deployfs"), "mount", "--repo=" + l.repo, "main", scratch(t)}, "Locking repo shared failed"},
		"prune beside a lock of no kind": {unix.Flock_t{Type: unix.F_RDLCK, Start: below + 5, Len: 9}, []string{binary(t, "deployfs"), "--repo=" + l.repo, "prune"}, "a lock that is no lease"},
	} {
		release := lockPart(t, l.repo, c.lock)
		start := time.Now()
		o := command{args: c.args}.run(t)
		if o.code == 0 || !strings.Contains(o.err, c.want) || time.Since(start) > 20*time.Second {
			t.Errorf("%s: exit %d %q %q after %s", what, o.code, o.out, o.err, time.Since(start))
		}
		release()
	}
	if o := l.prune(t); o.code != 0 || !l.holdsOld() {
		t.Errorf("exit %d %q", o.code, o.err)
	}
}

// lockPart takes a lock on a repository, and returns what gives it back.
func lockPart(t *testing.T, repo string, part unix.Flock_t) func() {
	t.Helper()
	f, err := os.OpenFile(repo+"/.lock", os.O_RDWR|os.O_CREATE, 0o660)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &part); err != nil {
		t.Fatal(err)
	}
	return func() { f.Close() }
}
