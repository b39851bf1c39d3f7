package tests

import (
	"os"
	"path/filepath"
	"testing"
)

// TestIndexAndOstree: the real program does not mind the indexes in a repository.
func TestIndexAndOstree(t *testing.T) {
	for _, mode := range []string{"archive", "bare"} {
		repo := clone(t, sharedRepo(t, mode, "plain"))
		os.RemoveAll(repo + "/deployfs")
		commit(t, repo, "other", forest(t, "plain")+"/usr")
		want := ostree(t, repo, "fsck")
		gone := buildIndex(t, repo, "plain")
		if got := ostree(t, repo, "fsck"); got != want {
			t.Errorf("%s: fsck says %q, want %q", mode, got, want)
		}
		ostree(t, repo, "prune")
		ostree(t, repo, "summary", "-u")
		puller := newRepo(t, mode)
		ostree(t, puller, "pull-local", repo, "plain", "other")
		if modeOf(puller+"/deployfs") != 0 {
			t.Error("pull-local took the indexes")
		}
		if modeOf(gone) == 0 {
			t.Error("prune took an index")
		}

		ostree(t, repo, "refs", "--delete", "plain")
		ostree(t, repo, "prune", "--refs-only")
		kept := buildIndex(t, repo, "other")
		if all := indexFiles(t, repo); len(all) != 1 || all[filepath.Base(kept)] == "" {
			t.Errorf("%s: after the tree was pruned and another index built, there is %d", mode, len(all))
		}
		if got := ostree(t, repo, "fsck"); got == "" {
			t.Errorf("%s: fsck says nothing", mode)
		}
	}
}

// TestIndexOfParent: a repository's indexes are its own, also those of what is in its parent.
func TestIndexOfParent(t *testing.T) {
	upper, parent := newRepo(t, "bare-user"), clone(t, sharedRepo(t, "archive", "plain"))
	os.RemoveAll(parent + "/deployfs")
	ostree(t, upper, "config", "set", "core.parent", parent)
	commit(t, upper, "own", forest(t, "plain")+"/usr")
	buildIndex(t, upper, "plain")
	buildIndex(t, upper, "own") // sweeps, and leaves the parent's
	if len(indexFiles(t, upper)) != 2 || modeOf(parent+"/deployfs") != 0 {
		t.Errorf("%d indexes, parent's folder %o", len(indexFiles(t, upper)), modeOf(parent+"/deployfs"))
	}
	for ref, want := range map[string]map[string]entry{"plain": snapshot(t, forest(t, "plain")), "own": subtree(snapshot(t, forest(t, "plain")), "usr")} {
		f := mountedForeground(t, "--repo="+upper, ref)
		waitIndex(t, listMounts(t), "used", f.dir)
		same(t, want, snapshot(t, f.dir))
		umounted(t, f.dir)
	}
}

// TestIndexOfPartialCommit: what was not there when the index was built is shown when it has come.
func TestIndexOfPartialCommit(t *testing.T) {
	source, repo := sharedRepo(t, "archive", "plain"), newRepo(t, "bare")
	ostree(t, repo, "remote", "add", "--no-gpg-verify", "far", "file://"+source)
	ostree(t, repo, "pull", "far", "plain", "--subpath=/usr/share")
	buildIndex(t, repo, "far:plain")
	f := mountedForeground(t, "--repo="+repo, "far:plain")
	waitIndex(t, listMounts(t), "used", f.dir)
	want := snapshot(t, forest(t, "plain"))
	same(t, subtree(want, "usr/share"), snapshot(t, f.dir+"/usr/share"))
	if err := listError(f.dir + "/usr/bin"); err == nil {
		t.Error("a directory that is not there can be listed")
	}
	umounted(t, f.dir)
	ostree(t, repo, "pull", "far", "plain")
	f = mountedForeground(t, "--repo="+repo, "far:plain")
	waitIndex(t, listMounts(t), "used", f.dir)
	same(t, want, snapshot(t, f.dir))
	umounted(t, f.dir)
	if f.lines() != "" {
		t.Errorf("the server said %q", f.lines())
	}
}
