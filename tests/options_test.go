package tests

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestSubpath compares parts of a tree with checkouts of these parts.
func TestSubpath(t *testing.T) {
	repo := sharedRepo(t, "bare", "traps")
	for _, path := range []string{"/modes", "/modes/dir-0000", "/acl/dir", "/names/a\nb.d", "/deep/d/d/d"} {
		want := checkedOut(t, repo, "traps", "--subpath="+path)
		for _, written := range []string{path, path[1:], path + "/", "/" + path} {
			dir := mounted(t, "--repo="+repo, "--subpath="+written, "traps")
			same(t, want, snapshot(t, dir))
		}
	}
	all := mounted(t, "--repo="+repo, "--subpath=/", "traps")
	if modeOf(all+"/modes/file-0000") == 0 {
		t.Error("--subpath=/ does not show the whole tree")
	}
}

func TestMtimeCommit(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	dir := mounted(t, "--repo="+repo, "--mtime=commit", "plain")
	plausible(t, snapshot(t, dir), time.Unix(1700000000, 0).UnixNano())
}

// TestInodesStay mounts twice: each path has the same inode number.
func TestInodesStay(t *testing.T) {
	inodes := func(tree map[string]entry) map[string]uint64 {
		m := map[string]uint64{}
		for name, e := range tree {
			m[name] = e.ino
		}
		return m
	}
	repo := sharedRepo(t, "archive", "traps")
	dir := mounted(t, "--repo="+repo, "traps")
	first := inodes(snapshot(t, dir))
	umounted(t, dir)
	mountOn(t, dir, "--repo="+repo, "traps")
	// another order of visits must not matter
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(first))) {
		var st unix.Stat_t
		if err := unix.Lstat(filepath.Join(dir, name), &st); err != nil || st.Ino != first[name] {
			t.Fatalf("%q: inode %d at the first mount, then %d (%v)", name, first[name], st.Ino, err)
		}
	}
}

func TestStatfs(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	dir := mounted(t, "--repo="+repo, "plain")
	var want, got unix.Statfs_t
	if err := unix.Statfs(repo+"/objects", &want); err != nil {
		t.Fatal(err)
	}
	if err := unix.Statfs(dir+"/usr", &got); err != nil {
		t.Fatal(err)
	}
	if got.Type != 0x65735546 || got.Namelen != 255 || got.Flags&unix.ST_RDONLY == 0 {
		t.Errorf("type %#x, longest name %d, flags %#x; want FUSE, 255, read-only", got.Type, got.Namelen, got.Flags)
	}
	if w, g := want.Blocks*uint64(want.Bsize), got.Blocks*uint64(got.Bsize); w != g || got.Files != want.Files {
		t.Errorf("%d bytes, %d inodes; the repository's file system has %d and %d", g, got.Files, w, want.Files)
	}
}

// TestMountTable checks type, source and options, also for paths that need escapes.
func TestMountTable(t *testing.T) {
	plain := sharedRepo(t, "archive", "plain")
	sum := ostree(t, plain, "rev-parse", "plain")
	for _, name := range []string{"repo", "a,b", "with space", "new\nline", "tab\t", "ha#sh", "back\\slash", "back\\054", "ro=1,user_id=7", "ü", "\"quote'", "%s"} {
		repo := filepath.Join(scratch(t), name)
		must(t, "cp", "-a", plain, repo)
		dir := filepath.Join(scratch(t), "m "+name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		mountOn(t, dir, "--repo="+repo, "plain")
		m := mountsAt(t, dir)[0]
		if m.kind != "fuse.deployfs" || m.source != repo+"#"+sum {
			t.Errorf("%q: mount table says %s, want source %q", name, m, repo+"#"+sum)
		}
		if !hasOption(m.options, "ro") || !hasOption(m.super, "ro") || !hasOption(m.super, "default_permissions") {
			t.Errorf("%q: options %s %s, want ro and default_permissions", name, m.options, m.super)
		}
		if text, err := os.ReadFile(dir + "/usr/share/doc/README"); err != nil || string(text) != "hello\n" {
			t.Errorf("%q: read %q, %v", name, text, err)
		}
		umounted(t, dir)
	}
}

func hasOption(list, option string) bool { return slices.Contains(strings.Split(list, ","), option) }

// TestRepositoryFound finds the repository as ostree does.
func TestRepositoryFound(t *testing.T) {
	needFuse(t)
	repo := sharedRepo(t, "archive", "plain")
	bin := binary(t, "deployfs")
	for what, c := range map[string]command{
		"relative path":       {args: []string{bin, "mount", "--repo=" + filepath.Base(repo), "plain"}, dir: filepath.Dir(repo)},
		"option before verb":  {args: []string{bin, "--repo=" + repo, "mount", "plain"}},
		"option after words":  {args: []string{bin, "mount", "plain", "--repo", repo}},
		"environment":         {args: []string{bin, "mount", "plain"}, env: []string{"OSTREE_REPO=" + repo}},
		"working directory":   {args: []string{bin, "mount", "plain"}, dir: repo},
		"path through a link": {args: []string{bin, "mount", "--repo=" + linkTo(t, repo), "plain"}},
	} {
		dir := scratch(t)
		c.args = append(c.args, dir)
		guardNew(t, dir, func() { c.must(t) })
		if modeOf(dir+"/usr/bin/tool") == 0 {
			t.Errorf("%s: the tree is not there", what)
		}
		umounted(t, dir)
	}
}

func linkTo(t testing.TB, path string) string {
	t.Helper()
	link := scratch(t) + "/link"
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	return link
}

// TestMountpointSpellings mounts on a relative path, through a link, and on `.`.
func TestMountpointSpellings(t *testing.T) {
	needFuse(t)
	repo := sharedRepo(t, "archive", "plain")
	for _, given := range []string{"m", "m/", "./m/../m", "link", "m/."} {
		base := scratch(t)
		os.Mkdir(base+"/m", 0o755)
		os.Symlink("m", base+"/link")
		c := command{args: []string{binary(t, "deployfs"), "mount", "--repo=" + repo, "plain", given}, dir: base}
		guardNew(t, base+"/m", func() { c.must(t) })
		if !isMounted(t, base+"/m") {
			t.Errorf("%q: nothing is mounted on m", given)
		}
		command{args: []string{binary(t, "deployfs"), "umount", given}, dir: base}.must(t)
		if isMounted(t, base+"/m") {
			t.Errorf("%q: umount left the mount", given)
		}
	}
}
