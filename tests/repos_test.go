package tests

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// repoModes are all the modes that a repository can have, as `config` names them.
var repoModes = []string{"archive", "archive-z2", "bare", "bare-user", "bare-user-only", "bare-split-xattrs"}

// newRepo makes an empty repository at a new path.
func newRepo(t testing.TB, mode string) string {
	t.Helper()
	needRoot(t)
	repo := filepath.Join(scratch(t), "repo")
	initRepo(t, repo, mode)
	return repo
}

func initRepo(t testing.TB, repo, mode string) {
	t.Helper()
	ostree(t, repo, "init", "--mode="+mode)
	config := "[core]\nrepo_version=1\nmode=" + mode + "\nfsync=false\nmin-free-space-percent=0\n"
	if err := os.WriteFile(repo+"/config", []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
}

// commit commits a directory to ref and returns the commit's checksum. The time is fixed.
func commit(t testing.TB, repo, ref, dir string, options ...string) string {
	t.Helper()
	args := append([]string{"commit", "-b", ref, "-s", "subject of " + ref, "--timestamp=@1700000000", "--tree=dir=" + dir}, options...)
	return ostree(t, repo, args...)
}

var (
	sharedMu    sync.Mutex
	sharedRepos = map[string]string{}
)

// sharedRepo returns a repository of the given mode that holds the forest of that name as ref NAME.
// It is made once; tests that change a repository copy it with clone.
func sharedRepo(t testing.TB, mode, name string) string {
	t.Helper()
	sharedMu.Lock()
	defer sharedMu.Unlock()
	key := mode + "-" + name
	if repo, ok := sharedRepos[key]; ok {
		return repo
	}
	repo := filepath.Join(work, "repo-"+key)
	if mode == "bare-split-xattrs" {
		from := filepath.Join(work, "from-"+key)
		initRepo(t, from, "bare")
		commit(t, from, name, forest(t, name))
		splitXattrs(t, from, repo)
	} else {
		initRepo(t, repo, mode)
		commit(t, repo, name, forest(t, name))
	}
	sharedRepos[key] = repo
	return repo
}

// clone copies a repository, with owners and xattrs, to a path where the test may change it.
func clone(t testing.TB, repo string) string {
	t.Helper()
	to := filepath.Join(scratch(t), "repo")
	must(t, "cp", "-a", repo, to)
	return to
}

// splitXattrs makes a bare-split-xattrs repository out of a bare one, which the real ostree can
// read but not write: each object's xattrs move from the file into a file of their own beside it.
func splitXattrs(t testing.TB, bare, to string) {
	t.Helper()
	must(t, "cp", "-a", bare, to)
	config := "[core]\nrepo_version=1\nmode=bare-split-xattrs\n"
	if err := os.WriteFile(to+"/config", []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	objects, err := filepath.Glob(to + "/objects/??/*.file")
	if err != nil || len(objects) == 0 {
		t.Fatal("no file objects in ", to, err)
	}
	for _, object := range objects {
		xattrs, err := xattrsOf(object)
		if err != nil {
			t.Fatal(err)
		}
		for name := range xattrs {
			if err := unix.Lremovexattr(object, name); err != nil {
				t.Fatal(object, name, err)
			}
		}
		if err := os.WriteFile(object+"-xattrs-link", gvXattrs(xattrs), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// objectPath is where a repository keeps an object of the given kind.
func objectPath(repo, sum, kind string) string {
	return repo + "/objects/" + sum[:2] + "/" + sum[2:] + "." + kind
}

// objectOf returns the kind and checksum of what stands at path in a commit; for a directory it
// is the dirtree.
func objectOf(t testing.TB, repo, rev, path string) (kind, sum string) {
	t.Helper()
	fields := strings.Fields(ostree(t, repo, "ls", "-d", "-C", rev, path))
	if strings.HasPrefix(fields[0], "d") {
		return "dirtree", fields[4]
	}
	return "file", fields[4]
}

// dirmetaOf returns the checksum of the dirmeta of a directory in a commit.
func dirmetaOf(t testing.TB, repo, rev, path string) string {
	t.Helper()
	return strings.Fields(ostree(t, repo, "ls", "-d", "-C", rev, path))[5]
}

// rootSums returns the checksums of root dirtree and root dirmeta.
func rootSums(t testing.TB, repo, rev string) string {
	t.Helper()
	_, tree := objectOf(t, repo, rev, "/")
	return tree + " " + dirmetaOf(t, repo, rev, "/")
}

// content returns the path of the file that holds the content object sum.
func contentPath(repo, sum string) string {
	for _, kind := range []string{"file", "filez"} {
		if path := objectPath(repo, sum, kind); modeOf(path) != 0 {
			return path
		}
	}
	return ""
}
