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

// TestDiffTerminal: on a terminal nothing but our own colours is an escape, and with NO_COLOR nothing is.
func TestDiffTerminal(t *testing.T) {
	t.Parallel()
	repo, dir := newRepo(t, "bare"), scratch(t)
	commit(t, repo, "os", dir)
	p := &plot{root: dir}
	p.dir("etc")
	p.text("etc/esc\x1b[31m", "\x1b]0;title\a\n")
	commit(t, repo, "os", dir)
	if p.err != nil {
		t.Fatal(p.err)
	}
	for _, test := range []struct {
		env, args, want string
		colours         bool
	}{
		{"NO_COLOR=1", "", "A    /etc/esc^[[31m", false},
		{"NO_COLOR=1", "--name-status", "A\t\"/etc/esc\\033[31m\"", false},
		{"NO_COLOR=1", "-p", "+^[]0;title^G", false},
		{"TERM=xterm", "-p", "\x1b[32m+^[]0;title^G\x1b[m", true},
		{"TERM=xterm", "", "\x1b[32mA    /etc/esc^[[31m\x1b[m", true},
	} {
		args := append([]string{"diff", "--repo=" + repo, "os"}, strings.Fields(test.args)...)
		got, err := onTerminal(t, false, []string{"TERM=xterm", "PAGER=cat", test.env}, args...)
		if err != nil {
			t.Errorf("%s: %v", args, err)
		}
		if !strings.Contains(got, test.want+"\n") || !test.colours && strings.Contains(got, "\x1b") {
			t.Errorf("%s %s: got %q, want %q", test.env, test.args, got, test.want)
		}
	}
}

// TestDiffProgress: a comparison of commits that takes long says how far it has come.
func TestDiffProgress(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	got, err := onTerminal(t, true, []string{"TERM=xterm", "PAGER=cat"}, "diff", "--repo="+f.repo, "--stat", f.doubled(0, 0), f.doubled(15, 1))
	before, after, found := strings.Cut(got, "DIRECTORY ")
	if err != nil || !found || !strings.Contains(before, " changes") || strings.Contains(after, " changes") {
		t.Errorf("%v %.500q", err, got)
	}
}

// TestDiffWrittenLink: a hard link of an object that was written in place is found, whatever its times say.
func TestDiffWrittenLink(t *testing.T) {
	t.Parallel()
	_, tree := diffRepo(t)
	for _, mode := range []string{"bare", "bare-user-only"} {
		repo, dir := newRepo(t, mode), filepath.Join(scratch(t), "out")
		commit(t, repo, "os", tree)
		args := []string{"checkout", "-H", "os", dir}
		if mode != "bare" {
			args[1] = "-UH"
		}
		ostree(t, repo, args...)
		must(t, "sh", "-c", `printf 'one\n3\n' >"$0" && touch -d @0 "$0"`, dir+"/etc/conf")
		compareVerb(t, []string{"diff", "--repo=" + repo, "os", dir}, work)
		if o := deployfs(t, "diff", "--repo="+repo, "os", dir); o.out != "M    /etc/conf\n" {
			t.Errorf("%s: %+v", mode, o)
		}
	}
}

// patchTrees commits two trees as ref os, and returns the directories of both.
func patchTrees(t *testing.T, repo string) (old, new string) {
	t.Helper()
	old, new = scratch(t)+"/old", scratch(t)+"/new"
	p := &plot{root: old}
	for _, name := range []string{".", "usr", "usr/dd", "usr/dd/sub", "usr/dd/none", "gone", "gone/d", "mode"} {
		p.dir(name)
	}
	p.text("usr/dd/a", "moved along\n")
	p.text("usr/dd/sub/with blank", "moved, too\n")
	p.text("gone/d/f", "gone\n")
	p.text("none left", "")
	p.text("conf", "1\n2\n3\n")
	p.text("file", "single\n")
	p.text("becomes", "a directory\n")
	p.link("link", "conf")
	commit(t, repo, "os", old)
	must(t, "cp", "-a", old, new)
	p.root = new
	p.do("rename", func() error { return os.Rename(p.path("usr/dd"), p.path("usr/ee")) })
	must(t, "rm", "-r", p.path("gone"), p.path("link"), p.path("becomes"), p.path("none left"))
	for _, name := range []string{"fresh", "fresh/empty", "becomes"} {
		p.dir(name)
	}
	p.text("fresh/f", "fresh\n")
	p.text("becomes/f", "new\n") // which patch(1) can't do
	p.text("empty", "")
	p.text("conf", "1\nII\n3\n")
	p.link("link", "file")
	p.mode("mode", 0o700)
	p.mode("file", 0o755)
	commit(t, repo, "os", new)
	if p.err != nil {
		t.Fatal(p.err)
	}
	return old, new
}

// TestDiffPatch: git and patch(1) make the new tree of the old one, but for directories.
func TestDiffPatch(t *testing.T) {
	t.Parallel()
	need(t, have("git") && have("patch"), "git or patch is not installed (tests/setup.sh installs them)")
	repo := newRepo(t, "bare")
	old, new := patchTrees(t, repo)
	most := []string{"--", "usr", "gone", "mode", "none left", "conf", "file", "link", "fresh", "empty"}
	for _, option := range []string{"-p", "-pM"} {
		for _, test := range []struct {
			tool  string
			paths []string
		}{{"git apply --check", nil}, {"git apply", nil}, {"patch -p1 -s", most}} { // which makes no directory of a file
			dir := filepath.Join(scratch(t), "copy")
			must(t, "cp", "-a", old, dir)
			patch := deployfs(t, append([]string{"diff", "--repo=" + repo, option, "os"}, test.paths...)...).out
			if strings.Contains(patch, "directory mode") || strings.Contains(patch, "rename") != (option == "-pM") {
				t.Errorf("%s:\n%s", option, patch)
			}
			if o := (command{args: strings.Fields(test.tool), dir: dir, in: patch}).run(t); o.code != 0 {
				t.Errorf("%s of %s: exit %d %s%s\n%s", test.tool, option, o.code, o.out, o.err, patch)
			}
			if strings.HasSuffix(test.tool, "--check") {
				continue
			}
			args := append([]string{"diff", "--repo=" + repo, "--name-status", "os", dir}, test.paths...)
			for line := range strings.Lines(deployfs(t, args...).out) {
				if path := strings.TrimSpace(line[1:]); !isDirectory(dir+path) && !isDirectory(new+path) {
					t.Errorf("after %s of %s: %s", test.tool, option, line)
				}
			}
		}
	}
}

func isDirectory(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}
