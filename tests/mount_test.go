package tests

import (
	"maps"
	"path"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMountEqualsCheckout compares a mount with a checkout of the same commit, entry by entry.
func TestMountEqualsCheckout(t *testing.T) {
	for _, mode := range repoModes {
		t.Run(mode, func(t *testing.T) { mountEqualsCheckout(t, mode, "traps") })
	}
	for _, mode := range []string{"archive", "bare"} {
		t.Run(mode+"-10000-entries", func(t *testing.T) { mountEqualsCheckout(t, mode, "crowd") })
	}
}

func mountEqualsCheckout(t *testing.T, mode, name string) {
	repo := sharedRepo(t, mode, name)
	want := checkedOut(t, repo, name)
	dir := mounted(t, "--repo="+repo, name)
	got := snapshot(t, dir)
	same(t, want, got)
	plausible(t, got, 0)
	same(t, got, snapshot(t, dir)) // now out of the kernel's caches
	dropCaches(t)
	same(t, got, snapshot(t, dir))
}

// plausible checks what a checkout cannot be the judge of: times, links, blocks, inodes.
func plausible(t testing.TB, tree map[string]entry, mtime int64) {
	t.Helper()
	names := map[uint64]string{}
	bad := 0
	complain := func(format string, args ...any) {
		if bad++; bad <= 10 {
			t.Errorf(format, args...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		e := tree[name]
		if e.mtime != mtime || e.atime != mtime || e.ctime != mtime {
			complain("%q: times %d %d %d ns, want %d", name, e.atime, e.mtime, e.ctime, mtime)
		}
		if want := links(tree, name); e.nlink != want && e.nlink != 1 {
			complain("%q: %d links, want %d or 1", name, e.nlink, want)
		}
		least, most := uint64(e.size+511)/512, uint64(e.size+4095)/4096*8
		if e.mode&unix.S_IFMT == unix.S_IFREG && (e.blocks < least || e.blocks > most) {
			complain("%q: %d blocks for %d bytes", name, e.blocks, e.size)
		}
		if name != "." && e.listed != e.ino {
			complain("%q: inode %d, but readdir says %d", name, e.ino, e.listed)
		}
		if other, ok := names[e.ino]; ok || e.ino == 0 {
			complain("%q: inode %d, which %q has too", name, e.ino, other)
		}
		names[e.ino] = name
	}
}

// links is how many hard links an entry has on a file system that counts those of directories.
func links(tree map[string]entry, name string) uint64 {
	if tree[name].mode&unix.S_IFMT != unix.S_IFDIR {
		return 1
	}
	n := uint64(2)
	for other, e := range tree {
		if other != "." && path.Dir(other) == name && e.mode&unix.S_IFMT == unix.S_IFDIR {
			n++
		}
	}
	return n
}

// TestRoundTrip commits the mounted tree into another repository: the same root objects come out.
func TestRoundTrip(t *testing.T) {
	for _, mode := range repoModes {
		t.Run(mode, func(t *testing.T) {
			repo := sharedRepo(t, mode, "traps")
			dir := mounted(t, "--repo="+repo, "traps")
			second := newRepo(t, "archive")
			commit(t, second, "again", dir)
			if want, got := rootSums(t, repo, "traps"), rootSums(t, second, "again"); want != got {
				t.Errorf("committing the mount gives root dirtree and dirmeta %s, want %s\n%s", got, want,
					must(t, "sh", "-c", `ostree --repo="$1" ls -RCX traps >a; ostree --repo="$2" ls -RCX again >b; diff a b | head -20; rm a b`, "-", repo, second))
			}
		})
	}
}

// TestParentRepository mounts a commit whose objects, or which itself, is in the parent repository.
func TestParentRepository(t *testing.T) {
	upper := newRepo(t, "bare-user")
	parent := sharedRepo(t, "bare-user", "plain")
	ostree(t, upper, "config", "set", "core.parent", parent)
	want := checkedOut(t, parent, "plain")
	dir := mounted(t, "--repo="+upper, "plain")
	same(t, want, snapshot(t, dir))
	umounted(t, dir)

	// a commit of its own, most of whose objects are in the parent
	p := &plot{root: scratch(t)}
	p.text("new", "only here\n")
	p.file("tool", noise(1, 300000))
	if p.err != nil {
		t.Fatal(p.err)
	}
	commit(t, upper, "own", p.root)
	mountOn(t, dir, "--repo="+upper, "own")
	same(t, checkedOut(t, upper, "own"), snapshot(t, dir))
	umounted(t, dir)

	gone := scratch(t) + "/no"
	ostree(t, upper, "config", "set", "core.parent", gone)
	oneError(t, deployfs(t, "mount", "--repo="+upper, "plain", dir), dir, gone)
}

// TestRevisions mounts by each kind of name that a commit has.
func TestRevisions(t *testing.T) {
	repo := newRepo(t, "archive")
	first := commit(t, repo, "os/main", forest(t, "plain")+"/usr")
	second := commit(t, repo, "os/main", forest(t, "plain"))
	ostree(t, repo, "refs", "--create=alias", "--alias", "os/main")
	puller := newRepo(t, "archive")
	ostree(t, puller, "remote", "add", "--no-gpg-verify", "far", "file://"+repo)
	ostree(t, puller, "pull", "far", "os/main", "--depth=-1")
	mirror := newRepo(t, "archive")
	ostree(t, mirror, "remote", "add", "--no-gpg-verify", "far", "file://"+repo)
	ostree(t, mirror, "pull", "--mirror", "far", "os/main")
	for _, c := range []struct{ repo, rev, sum string }{
		{repo, "os/main", second}, {repo, second, second}, {repo, second[:20], second}, {repo, "os/main^", first},
		{repo, "alias", second}, {repo, "alias^", first}, {puller, "far:os/main", second}, {puller, "far:os/main^", first},
		{puller, "os/main", second}, {puller, "far/os/main", second}, {mirror, "os/main", second},
	} {
		dir := mounted(t, "--repo="+c.repo, c.rev)
		if m := mountsAt(t, dir)[0]; m.source != c.repo+"#"+c.sum {
			t.Errorf("%s: mounted %q, want commit %s", c.rev, m.source, c.sum)
		}
		if modeOf(dir+"/usr") == 0 != (c.sum == first) {
			t.Errorf("%s: not the tree of that commit", c.rev)
		}
	}
}

// TestPartialCommit mounts commits that are not all there: what is, can be read.
func TestPartialCommit(t *testing.T) {
	source := sharedRepo(t, "archive", "plain")
	repo := newRepo(t, "archive")
	ostree(t, repo, "remote", "add", "--no-gpg-verify", "far", "file://"+source)
	ostree(t, repo, "pull", "far", "plain", "--subpath=/usr/share")
	f := mountedForeground(t, "--repo="+repo, "far:plain")
	same(t, subtree(snapshot(t, forest(t, "plain")), "usr/share"), snapshot(t, f.dir+"/usr/share"))
	if _, err := readDirents(f.dir + "/usr/bin"); err == nil {
		if _, err = readEntry(f.dir + "/usr/bin/tool"); err == nil {
			t.Error("a file whose object is absent can be read")
		}
	}
	_, bin := objectOf(t, source, "plain", "/usr/bin")
	if lines := f.logged(bin); len(lines) != 1 {
		t.Errorf("want one log line about the absent %s.dirtree, got %q", bin, lines)
	}
	wantErrno(t, "readdir of an absent directory", listError(f.dir+"/usr/bin"), unix.EIO)

	umounted(t, f.dir)

	bare := newRepo(t, "archive")
	ostree(t, bare, "pull-local", source, "plain", "--commit-metadata-only")
	dir := scratch(t)
	_, root := objectOf(t, source, "plain", "/")
	oneError(t, deployfs(t, "mount", "--repo="+bare, "plain", dir), dir, root)
}

// subtree returns the part of a snapshot below dir, which becomes its root.
func subtree(tree map[string]entry, dir string) map[string]entry {
	part := map[string]entry{}
	for name, e := range tree {
		if name == dir {
			part["."] = e
		} else if len(name) > len(dir) && name[:len(dir)+1] == dir+"/" {
			part[name[len(dir)+1:]] = e
		}
	}
	return part
}

func listError(dir string) error {
	_, err := readDirents(dir)
	return err
}
