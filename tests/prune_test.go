package tests

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestPruneWaits keeps the real ostree from deleting the objects of a mounted commit.
func TestPruneWaits(t *testing.T) {
	repo := clone(t, sharedRepo(t, "archive", "plain"))
	ostree(t, repo, "config", "set", "core.lock-timeout-secs", "1")
	dir := mounted(t, "--repo="+repo, "plain")
	ostree(t, repo, "refs", "--delete", "plain")
	o := command{args: []string{"ostree", "--repo=" + repo, "prune", "--refs-only"}}.run(t)
	if o.code == 0 || !strings.Contains(o.err, "Locking repo exclusive failed") {
		t.Errorf("prune while mounted: exit %d %q %q", o.code, o.out, o.err)
	}
	same(t, snapshot(t, forest(t, "plain")), snapshot(t, dir))

	// a shared lock must not disturb writers
	commit(t, repo, "new", forest(t, "plain")+"/usr")

	umounted(t, dir)
	if !eventually(10*time.Second, func() bool {
		return command{args: []string{"ostree", "--repo=" + repo, "prune", "--refs-only"}}.run(t).code == 0
	}) {
		t.Error("prune still fails after umount")
	}
}

// TestPruneNoLock lets prune run below a mount: reads fail or are right, never wrong.
func TestPruneNoLock(t *testing.T) {
	for _, mode := range []string{"archive", "bare"} {
		repo := clone(t, sharedRepo(t, mode, "plain"))
		ostree(t, repo, "config", "set", "core.lock-timeout-secs", "1")
		dir := mounted(t, "--repo="+repo, "--no-lock", "plain")
		readme := dir + "/usr/share/doc/README"
		if data, err := os.ReadFile(readme); string(data) != "hello\n" {
			t.Fatal(err)
		}
		ostree(t, repo, "refs", "--delete", "plain")
		ostree(t, repo, "prune", "--refs-only")
		dropCaches(t)
		for name, want := range map[string][]byte{"usr/bin/tool": noise(1, 300000), "usr/share/doc/README": []byte("hello\n"), "usr/share/doc/39": noise(39, 39000)} {
			if data, err := os.ReadFile(dir + "/" + name); err == nil && !bytes.Equal(data, want) {
				t.Errorf("%s: wrong bytes of %s after prune", mode, name)
			}
		}
		umounted(t, dir)
	}
}

// TestReadOnlyRepository mounts from a repository that cannot be written, so cannot be locked.
func TestReadOnlyRepository(t *testing.T) {
	s := newStranger(t)
	repo := sharedRepo(t, "archive", "plain")
	guardNew(t, s.dir, func() { s.command(binary(t, "deployfs"), "mount", "--repo="+repo, "plain", s.dir).must(t) })
	if got := accessOf(t, s.dir, []string{"usr/share/doc/README"}); !strings.Contains(got[0], "6 bytes") {
		t.Error(got)
	}
}

// TestReadOnlyFileSystem mounts, as root, from a repository on a read-only file system.
func TestReadOnlyFileSystem(t *testing.T) {
	needFuse(t)
	repo, view := sharedRepo(t, "bare", "plain"), scratch(t)
	if err := unix.Mount(repo, view, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(view, unix.MNT_DETACH) })
	if err := unix.Mount("", view, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	dir := mounted(t, "--repo="+view, "plain")
	same(t, snapshot(t, forest(t, "plain")), snapshot(t, dir))
	umounted(t, dir)
}

// TestVanishedRepository takes the repository away below a mount.
func TestVanishedRepository(t *testing.T) {
	repo := clone(t, sharedRepo(t, "archive", "plain"))
	f := mountedForeground(t, "--repo="+repo, "plain")
	if err := os.RemoveAll(repo); err != nil {
		t.Fatal(err)
	}
	dropCaches(t)
	if data, err := os.ReadFile(f.dir + "/usr/bin/tool"); err == nil && !bytes.Equal(data, noise(1, 300000)) {
		t.Error("wrong bytes")
	}
	if f.ended() {
		t.Error("the server died")
	}
	umounted(t, f.dir)
}

// TestLockedRepository mounts while the real ostree holds the exclusive lock: it says so or waits,
// and never hangs for ever.
func TestLockedRepository(t *testing.T) {
	repo := clone(t, sharedRepo(t, "archive", "plain"))
	ostree(t, repo, "config", "set", "core.lock-timeout-secs", "1")
	release := lockExclusively(t, repo)
	defer release()
	dir := scratch(t)
	o := deployfs(t, "mount", "--repo="+repo, "plain", dir)
	oneError(t, o, dir, "Locking repo")
	mountOn(t, dir, "--repo="+repo, "--no-lock", "plain")
	umounted(t, dir)
}

// lockExclusively takes the lock that prune takes, and returns what gives it back.
func lockExclusively(t *testing.T, repo string) func() {
	t.Helper()
	f, err := os.OpenFile(repo+"/.lock", os.O_RDWR|os.O_CREATE, 0o660)
	if err != nil {
		t.Fatal(err)
	}
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock); err != nil {
		t.Fatal(err)
	}
	return func() { f.Close() }
}
