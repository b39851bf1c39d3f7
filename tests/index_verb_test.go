package tests

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestIndexVerb builds, shows and drops.
func TestIndexVerb(t *testing.T) {
	repo := clone(t, sharedRepo(t, "archive", "plain"))
	os.RemoveAll(repo + "/deployfs")
	other := commit(t, repo, "other", forest(t, "plain")+"/usr")
	plain := ostree(t, repo, "rev-parse", "plain")
	o := deployfs(t, "index", "--repo="+repo, "plain", "other")
	lines := strings.Split(o.out, "\n")
	if o.code != 0 || o.err != "" || len(lines) != 3 || !strings.HasPrefix(lines[0], plain+" ") || !strings.HasPrefix(lines[1], other+" ") {
		t.Errorf("%s: exit %d %q %q", o.line, o.code, o.out, o.err)
	}
	made := indexFiles(t, repo)
	if len(made) != 2 {
		t.Errorf("two commits, %d indexes", len(made))
	}
	var records []struct {
		Commit         string
		Entries, Bytes int
		Seconds        float64
		Dropped        bool
	}
	o = deployfs(t, "index", "--repo="+repo, "--json", plain[:20])
	if err := json.Unmarshal([]byte(o.out), &records); err != nil || len(records) != 1 || records[0].Commit != plain || records[0].Entries < 40 || records[0].Bytes < 2000 || records[0].Dropped {
		t.Errorf("%s: %v, %s", o.line, err, o.out)
	}
	for _, dropped := range []bool{true, false} {
		o = deployfs(t, "index", "--repo="+repo, "--json", "--drop", "plain")
		if err := json.Unmarshal([]byte(o.out), &records); err != nil || len(records) != 1 || records[0].Dropped != dropped && dropped {
			t.Errorf("%s: %v, %s", o.line, err, o.out)
		}
	}
	if o = deployfs(t, "index", "--repo="+repo, "--drop", "plain", "other", "other"); o.code != 0 || o.out+o.err != "" {
		t.Errorf("%s: exit %d %q %q", o.line, o.code, o.out, o.err)
	}
	if left := indexFiles(t, repo); len(left) != 0 {
		t.Errorf("after --drop there is %q", left)
	}
}

// TestIndexSubpath: a directory's index is another than the commit's, and that of the same directory
// in another commit.
func TestIndexSubpath(t *testing.T) {
	repo := clone(t, sharedRepo(t, "bare", "plain"))
	os.RemoveAll(repo + "/deployfs")
	commit(t, repo, "other", forest(t, "plain")+"/usr")
	usr := buildIndex(t, repo, "--subpath=/usr", "plain")
	for _, args := range [][]string{{"--subpath=usr/", "plain"}, {"other"}, {"--subpath=/", "other"}} {
		if o := deployfs(t, append([]string{"index", "--repo=" + repo}, args...)...); o.code != 0 || len(indexFiles(t, repo)) != 1 {
			t.Errorf("%s: exit %d %q, %d indexes", o.line, o.code, o.err, len(indexFiles(t, repo)))
		}
	}
	f := mountedForeground(t, "--repo="+repo, "--subpath=/usr", "plain")
	waitIndex(t, listMounts(t), "used", f.dir)
	same(t, subtree(snapshot(t, forest(t, "plain")), "usr"), snapshot(t, f.dir))
	umounted(t, f.dir)
	if o := deployfs(t, "index", "--repo="+repo, "--drop", "other"); o.code != 0 || modeOf(usr) != 0 {
		t.Errorf("%s: exit %d %q", o.line, o.code, o.err)
	}
}

func TestIndexRefusals(t *testing.T) {
	needRoot(t)
	repo := clone(t, sharedRepo(t, "archive", "plain"))
	os.RemoveAll(repo + "/deployfs")
	binary(t, "deployfs")
	if o := deployfs(t, "index", "--repo="+repo); o.code != 2 || o.out != "" || o.err == "" {
		t.Errorf("%s: exit %d %q %q", o.line, o.code, o.out, o.err)
	}
	for _, c := range []struct {
		args []string
		word string
	}{
		{[]string{"--repo=" + repo, "nope"}, "nope"},
		{[]string{"--repo=" + repo + "/no", "plain"}, repo + "/no"},
		{[]string{"--repo=" + repo, "--subpath=/no", "plain"}, "/no"},
		{[]string{"--repo=" + repo, "--subpath=/usr/bin/tool", "plain"}, "/usr/bin/tool"},
		{[]string{"--repo=" + repo, "--drop", "nope"}, "nope"},
	} {
		oneError(t, deployfs(t, append([]string{"index"}, c.args...)...), "", c.word)
	}
	for kind, sum := range map[string]string{"dirtree": strings.Fields(rootSums(t, repo, "plain"))[0], "dirmeta": strings.Fields(rootSums(t, repo, "plain"))[1]} {
		path := objectPath(repo, sum, kind)
		os.Rename(path, path+".away")
		oneError(t, deployfs(t, "index", "--repo="+repo, "plain"), "", sum)
		os.Rename(path+".away", path)
	}
	if left := indexFiles(t, repo); len(left) != 0 {
		t.Errorf("there is %q", left)
	}
}

// TestIndexReadOnly: where the repository can't be written the index is in the cache.
func TestIndexReadOnly(t *testing.T) {
	needFuse(t)
	repo, view, cache := clone(t, sharedRepo(t, "bare", "plain")), scratch(t), scratch(t)
	os.RemoveAll(repo + "/deployfs")
	bind(t, repo, view)
	if err := unix.Mount("", view, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	index := func(args ...string) outcome {
		return deployfs(t, append([]string{"index", "--repo=" + view, "--cache-dir=" + cache, "plain"}, args...)...)
	}
	for _, folder := range []bool{false, true} { // that the repository has, and can't be written
		if folder {
			os.MkdirAll(repo+"/deployfs/index", 0o755)
		}
		if o := index(); o.code != 0 || o.err != "" {
			t.Fatalf("%s: exit %d %q", o.line, o.code, o.err)
		}
		f := mountedForeground(t, "--repo="+view, "--cache-dir="+cache, "plain")
		waitIndex(t, listMounts(t), "used", f.dir)
		same(t, snapshot(t, forest(t, "plain")), snapshot(t, f.dir))
		umounted(t, f.dir)
		if f.lines() != "" {
			t.Errorf("the server said %q", f.lines())
		}
		if o := index("--drop"); o.code != 0 || o.err != "" {
			t.Errorf("%s: exit %d %q", o.line, o.code, o.err)
		}
		if left := must(t, "find", cache, "-name", "*.index"); left != "" || len(indexFiles(t, repo)) != 0 {
			t.Errorf("after --drop there is %s", left)
		}
	}
}

// TestIndexLocked: while prune holds the lock an index is built without it alone, and dropped.
func TestIndexLocked(t *testing.T) {
	repo := clone(t, sharedRepo(t, "archive", "plain"))
	os.RemoveAll(repo + "/deployfs")
	ostree(t, repo, "config", "set", "core.lock-timeout-secs", "1")
	release := lockExclusively(t, repo)
	defer release()
	oneError(t, deployfs(t, "index", "--repo="+repo, "plain"), "", "Locking repo")
	if left := indexFiles(t, repo); len(left) != 0 {
		t.Errorf("without the lock there is %q", left)
	}
	file := buildIndex(t, repo, "--no-lock", "plain")
	if o := deployfs(t, "index", "--repo="+repo, "--drop", "plain"); o.code != 0 || o.out+o.err != "" || modeOf(file) != 0 {
		t.Errorf("%s: exit %d %q %q", o.line, o.code, o.out, o.err)
	}
	os.Remove(repo + "/.lock")
	for _, option := range []string{"--no-lock", "--drop"} {
		if o := deployfs(t, "index", "--repo="+repo, option, "plain"); o.code != 0 || modeOf(repo+"/.lock") != 0 {
			t.Errorf("%s: exit %d %q, or a lock file was made", o.line, o.code, o.err)
		}
	}
}
