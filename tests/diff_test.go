package tests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

var diffTrees struct {
	sync.Once
	repo, dir string
	err       error
}

// diffRepo holds two commits of a small tree as ref os, made once, and the newer tree's directory.
func diffRepo(t *testing.T) (repo, dir string) {
	t.Helper()
	needRoot(t)
	diffTrees.Do(func() {
		root := filepath.Join(work, "diff")
		diffTrees.repo, diffTrees.dir = root+"/repo", root+"/tree"
		must(t, "mkdir", "-p", diffTrees.dir)
		initRepo(t, diffTrees.repo, "bare")
		p := &plot{root: diffTrees.dir}
		p.dir("etc")
		p.text("etc/conf", "one\ntwo\n")
		p.text("etc/moved", "moved\n")
		p.text("etc/mode", "mode\n")
		p.text("etc/esc\x1b[31m", "x\n")
		p.file("etc/bin", []byte{0, 1, 2})
		commit(t, diffTrees.repo, "os", diffTrees.dir)
		p.text("etc/conf", "one\n2\n")
		p.text("etc/esc\x1b[31m", "y\n")
		p.file("etc/bin", []byte{0, 1, 3, 4})
		p.mode("etc/mode", 0o600)
		p.owner("etc/mode", 7, 8)
		p.xattr("etc/mode", "user.x", "y")
		p.do("rename", func() error { return os.Rename(p.path("etc/moved"), p.path("etc/here")) })
		commit(t, diffTrees.repo, "os", diffTrees.dir)
		diffTrees.err = p.err
	})
	if diffTrees.err != nil {
		t.Fatal(diffTrees.err)
	}
	return diffTrees.repo, diffTrees.dir
}

// TestDiffForms: what our own forms print, to the byte.
func TestDiffForms(t *testing.T) {
	t.Parallel()
	repo, _ := diffRepo(t)
	for args, want := range map[string]string{
		"--name-status": "M\t/etc/bin\nM\t/etc/conf\nM\t\"/etc/esc\\033[31m\"\nA\t/etc/here\nM\t/etc/mode\nD\t/etc/moved\n",
		"-M":            "M\t/etc/bin\nM\t/etc/conf\nM\t\"/etc/esc\\033[31m\"\nR\t/etc/moved\t/etc/here\nM\t/etc/mode\n",
		"--metadata -- etc/mode etc/conf": "M\t/etc/conf\n\tcontent 8 -> 6 bytes\nM\t/etc/mode\n\tmode 0644 -> 0600\n\towner 0 -> 7\n" +
			"\tgroup 0 -> 8\n\txattr user.x added: \"y\"\n",
		"--stat -M": "DIRECTORY  ENTRIES  ADDED  REMOVED  CHANGED  NET\n/etc       ~4 R1    0B     0B       12B      -1B\nTOTAL      ~4 R1    0B     0B       12B      -1B\n",
		"-p -M -- /etc": "diff --git a/etc/bin b/etc/bin\nBinary files a/etc/bin and b/etc/bin differ (3 and 4 bytes)\n" +
			"diff --git a/etc/conf b/etc/conf\n--- a/etc/conf\n+++ b/etc/conf\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n" +
			"diff --git \"a/etc/esc\\033[31m\" \"b/etc/esc\\033[31m\"\n--- \"a/etc/esc\\033[31m\"\n+++ \"b/etc/esc\\033[31m\"\n@@ -1 +1 @@\n-x\n+y\n" +
			"diff --git a/etc/moved b/etc/here\nsimilarity index 100%\nrename from etc/moved\nrename to etc/here\n" +
			"diff --git a/etc/mode b/etc/mode\nold mode 100644\nnew mode 100600\n",
		"--name-status -- nowhere": "",
		"-- etc/conf etc/moved":    "M    /etc/conf\nD    /etc/moved\n",
	} {
		line := "diff --repo=" + repo + " os " + args
		if o := deployfs(t, strings.Fields(line)...); o.out != want || o.code != 0 || o.err != "" {
			t.Errorf("%s: exit %d %s\n got %q\nwant %q", args, o.code, o.err, o.out, want)
		}
	}
}

// TestDiffLines: command lines, good and bad, with the real program's words.
func TestDiffLines(t *testing.T) {
	t.Parallel()
	repo, dir := diffRepo(t)
	for _, line := range []string{
		"os", "os^ os", "os os", "os^", "os^^", "nope", "os nope", "os {dir}", "{dir} os", "{dir} {dir}", "{dir}", "os .", "os {dir}/etc", "os /nowhere",
		"{dir}/etc/conf os", "os {dir}/etc/conf", "os os os os", "-- os^ os", "--stats os", "--stats os {dir}", "--fs-diff os", "--stats --fs-diff os^ os",
		"--owner-uid=x os", "--owner-uid=0x7 os {dir}", "--owner-uid -1 os {dir}", "--owner-gid=99999999999 os", "--owner-gid= os", "--no-such os", "--stats=1 os",
	} {
		args := strings.Fields("diff --repo=" + repo + " " + strings.ReplaceAll(line, "{dir}", dir))
		compareVerb(t, args, work)
	}
	o := deployfs(t, "diff", "--repo="+repo)
	if o.code != 1 || !strings.HasSuffix(o.err, "\nerror: REV must be specified\n") || o.out != "" {
		t.Errorf("no argument: %+v", o)
	}
}

// TestDiffMount: a mount is the commit that it shows, and no content is read for it.
func TestDiffMount(t *testing.T) {
	repo, _ := diffRepo(t)
	dir := mounted(t, "--repo="+repo, "os")
	for _, args := range [][]string{{"os^", dir}, {dir, "os^"}, {"os", dir}, {"os", dir + "/etc"}, {dir, dir}} {
		compareVerb(t, append([]string{"diff", "--repo=" + repo}, args...), work)
	}
	before := serverRecord(t, dir)
	for _, args := range []string{"--name-status", "--fs-diff", "--stat"} {
		deployfs(t, "diff", "--repo="+repo, args, "os^", dir)
	}
	if after := serverRecord(t, dir); after.Bytes != before.Bytes {
		t.Errorf("%d bytes of content were read", after.Bytes-before.Bytes)
	}
	// What is mounted on top is not the commit's.
	if err := unix.Mount("tmpfs", dir+"/etc", "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(dir+"/etc", unix.MNT_DETACH)
	compareVerb(t, []string{"diff", "--repo=" + repo, "os", dir}, work)
}

// TestDiffCheckout: what ostree has linked or copied out of a repository is the commit, until it changes.
func TestDiffCheckout(t *testing.T) {
	t.Parallel()
	bare, tree := diffRepo(t)
	only := newRepo(t, "bare-user-only")
	commit(t, only, "os", tree)
	for _, test := range []struct {
		repo string
		how  []string
	}{{bare, []string{"-H"}}, {bare, []string{"-C"}}, {only, []string{"-U", "-H"}}} {
		dir := filepath.Join(scratch(t), "out")
		ostree(t, test.repo, append(append([]string{"checkout"}, test.how...), "os", dir)...)
		compare := func() {
			t.Helper()
			for range 2 { // the second time with what was learned
				for _, args := range [][]string{{"os", dir}, {dir, "os"}, {dir, dir, "--owner-uid=3"}, {"os", dir, "--no-xattrs"}} {
					compareVerb(t, append([]string{"diff", "--repo=" + test.repo}, args...), work)
				}
			}
		}
		compare()
		p := &plot{root: dir}
		p.do("remove", func() error { return os.Remove(p.path("etc/bin")) })
		p.file("etc/bin", []byte{9, 9, 9, 9}) // as large as before
		p.do("remove", func() error { return os.Remove(p.path("etc/conf")) })
		p.text("etc/conf", "one\n2\n") // as before
		if p.err != nil {
			t.Fatal(p.err)
		}
		compare()
	}
}

// serverRecord is what `mounts --json` tells of the mount on dir.
func serverRecord(t *testing.T, dir string) (r struct {
	Mountpoint string
	Bytes      uint64
}) {
	t.Helper()
	list := []struct {
		Mountpoint string
		Bytes      uint64
	}{}
	if err := json.Unmarshal([]byte(must(t, binary(t, "deployfs"), "mounts", "--json")), &list); err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if m.Mountpoint == dir {
			return m
		}
	}
	t.Fatalf("%s is not listed", dir)
	return r
}
