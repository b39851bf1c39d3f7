package tests

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// overlayRepo returns a repository with two commits, plain and other, and a directory for the overlay.
func overlayRepo(t *testing.T) (repo, upper string) {
	t.Helper()
	needFuse(t)
	repo, upper = clone(t, sharedRepo(t, "bare", "plain")), scratch(t)
	p := &plot{root: scratch(t)}
	if p.text("f", "other\n"); p.err != nil {
		t.Fatal(p.err)
	}
	commit(t, repo, "other", p.root)
	need(t, overlayWorks(t), "no overlayfs over "+work)
	return repo, filepath.Join(upper, "overlay")
}

func overlayWorks(t *testing.T) bool {
	base := scratch(t)
	for _, dir := range []string{"/l", "/u", "/w", "/m"} {
		os.Mkdir(base+dir, 0o755)
	}
	options := "lowerdir=" + base + "/l,upperdir=" + base + "/u,workdir=" + base + "/w"
	defer unix.Unmount(base+"/m", unix.MNT_DETACH)
	return unix.Mount("overlay", base+"/m", "overlay", 0, options) == nil
}

// noMountOf checks that no mount of ours from repo is left anywhere, and no overlay on dir.
func noMountOf(t *testing.T, repo, dir string) {
	t.Helper()
	for _, m := range mountTable(t) {
		if m.point == dir || m.kind == "fuse.deployfs" && strings.HasPrefix(m.source, repo+"#") {
			t.Errorf("left mounted: %s", m)
		}
	}
}

// TestOverlay writes into a mount; what was written is there at the next mount of the same commit.
func TestOverlay(t *testing.T) {
	repo, upper := overlayRepo(t)
	os.Mkdir(upper, 0o755)
	args := []string{"--repo=" + repo, "--overlay=" + upper, "plain"}
	dir := mounted(t, args...)
	tree := snapshot(t, dir)
	same(t, snapshot(t, forest(t, "plain")), tree)

	p := &plot{root: dir}
	p.text("usr/share/doc/README", "changed\n")
	p.dir("usr/new/dir")
	p.file("usr/new/file", noise(3, 100000))
	p.mode("usr/bin/tool", 0o4711)
	p.xattr("var/empty", "user.a", "b")
	p.do("rename", func() error { return os.Rename(p.path("usr/share/doc/01"), p.path("moved")) })
	p.do("remove", func() error { return os.RemoveAll(p.path("usr/share/doc/02")) })
	if p.err != nil {
		t.Fatal("writing into the overlay: ", p.err)
	}
	changed := snapshot(t, dir)
	if r := mountRecords(t); len(r) != 1 || r[0].Overlay != upper || r[0].Mountpoint != dir {
		t.Errorf("mounts --json with an overlay: %+v", r)
	}
	umounted(t, dir)
	noMountOf(t, repo, dir)
	mountOn(t, dir, args...)
	same(t, changed, snapshot(t, dir))
	umounted(t, dir)
	same(t, tree, snapshot(t, mounted(t, "--repo="+repo, "plain"))) // the commit is untouched
}

// TestOverlayIsBound refuses an overlay directory that belongs to another commit or to something else.
func TestOverlayIsBound(t *testing.T) {
	repo, upper := overlayRepo(t)
	os.Mkdir(upper, 0o755)
	dir := mounted(t, "--repo="+repo, "--overlay="+upper, "plain")
	busy := deployfs(t, "mount", "--repo="+repo, "--overlay="+upper, "plain", scratch(t))
	if busy.code != 1 || !strings.Contains(busy.err, upper) {
		t.Errorf("the overlay directory of a live mount used again: exit %d %q", busy.code, busy.err)
	}
	umounted(t, dir)
	sums := []string{ostree(t, repo, "rev-parse", "plain"), ostree(t, repo, "rev-parse", "other")}
	oneError(t, deployfs(t, "mount", "--repo="+repo, "--overlay="+upper, "other", dir), dir, upper, sums[0])
	noMountOf(t, repo, dir)
	oneError(t, deployfs(t, "mount", "--repo="+repo, "--overlay="+upper, "--subpath=/usr", "plain", dir), dir, upper)
	noMountOf(t, repo, dir)

	for what, bad := range map[string]string{
		"missing parent": upper + "/no/such/dir",
		"file":           forest(t, "plain") + "/usr/share/doc/README",
	} {
		o := deployfs(t, "mount", "--repo="+repo, "--overlay="+bad, "plain", dir)
		oneError(t, o, dir, bad)
		if noMountOf(t, repo, dir); t.Failed() {
			t.Log(what)
		}
	}
}

// TestOverlayEnds takes overlay and server away by umount(8), umount --lazy and SIGTERM alike.
func TestOverlayEnds(t *testing.T) {
	repo, upper := overlayRepo(t)
	os.Mkdir(upper, 0o755)
	for what, end := range map[string]func(dir string){
		"umount(8)": func(dir string) { must(t, "umount", dir) },
		"lazy":      func(dir string) { must(t, binary(t, "deployfs"), "umount", "--lazy", dir) },
		"SIGTERM":   func(string) { syscall.Kill(onlyKeeper(t), syscall.SIGTERM) },
	} {
		dir := mounted(t, "--repo="+repo, "--overlay="+upper, "plain")
		end(dir)
		if !eventually(10e9, func() bool { return !isMounted(t, dir) && len(servers()) == 0 }) {
			t.Errorf("%s: mounts %v, servers %v are left", what, mountsAt(t, dir), servers())
		}
		noMountOf(t, repo, dir)
	}
}

// TestOverlaySigns uses characters in the overlay's path that overlayfs takes as separators.
func TestOverlaySigns(t *testing.T) {
	repo, _ := overlayRepo(t)
	for _, name := range []string{"a,b", "a:b", "a\\b", "a b"} {
		upper := filepath.Join(scratch(t), name)
		os.Mkdir(upper, 0o755)
		dir := filepath.Join(scratch(t), name)
		os.Mkdir(dir, 0o755)
		mountOn(t, dir, "--repo="+repo, "--overlay="+upper, "plain")
		if err := os.WriteFile(dir+"/new", []byte("x"), 0o644); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		umounted(t, dir)
	}
}

// TestOverlayShowsAll sees the whole tree, with its modes, owners and xattrs, through an overlay too.
func TestOverlayShowsAll(t *testing.T) {
	_, upper := overlayRepo(t)
	os.Mkdir(upper, 0o755)
	repo := sharedRepo(t, "archive", "traps")
	dir := mounted(t, "--repo="+repo, "--overlay="+upper, "--allow-other", "traps")
	same(t, checkedOut(t, repo, "traps"), snapshot(t, dir))
	if got := accessOf(t, dir, []string{"acl/granted", "acl/denied"}); !strings.Contains(got[0], "8 bytes") || !strings.Contains(got[1], "denied") {
		t.Error("ACLs through an overlay: ", got)
	}
}

// TestOverlayKilled cleans up an overlay whose server and keeper were killed, and mounts it again.
func TestOverlayKilled(t *testing.T) {
	repo, upper := overlayRepo(t)
	os.Mkdir(upper, 0o755)
	args := []string{"--repo=" + repo, "--overlay=" + upper, "plain"}
	dir := mounted(t, args...)
	if err := os.WriteFile(dir+"/new", []byte("kept"), 0o644); err != nil {
		t.Fatal(err)
	}
	killBoth(t)
	umounted(t, dir)
	noMountOf(t, repo, dir)
	mountOn(t, dir, args...)
	if data, err := os.ReadFile(dir + "/new"); string(data) != "kept" {
		t.Errorf("what was written before the kill: %q, %v", data, err)
	}
	umounted(t, dir)
}
