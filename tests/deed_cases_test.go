package tests

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// deedCase is a command line that writes into the repository "repo", run in a directory that has,
// beside it, the trees "src" and "new" and a repository "far" to pull from.
type deedCase struct {
	name    string
	mode    string // of the repository; "" when there is none yet
	config  string // lines of its config
	prepare string // what is done before, by shell
	args    string
	side    bool   // several threads make files durable, one by one
	loose   bool   // nothing is made durable
	broken  bool   // something is wrong before, which ostree fsck finds
	once    bool   // done again it fails: there is nothing left to do
	eats    bool   // when it is done there is nothing left to do it with
	again   string // what mends the rest, after the command itself was done again
	tree    string // what it makes beside the repository: whole, or it is not there
	tidy    bool   // it clears what a cut has left in tmp; others leave that to the next commit
}

const commitNew = "commit --repo=repo -b main --tree=dir=new --parent=none -s subject --timestamp=@1700000900"

// pullPrepare makes a remote of what lies at $url.
const pullPrepare = `ostree --repo=repo remote add --no-gpg-verify --set=branches=main far $url`

var deedCases = []deedCase{
	{name: "init", args: "init --repo=repo --mode=archive"},
	{name: "config-set", mode: "archive", args: "config --repo=repo set core.min-free-space-percent 5"},
	{name: "remote-add", mode: "archive", args: "remote --repo=repo add --if-not-exists --no-gpg-verify far http://localhost/"},
	{name: "refs-create", mode: "archive", args: "refs --repo=repo --create=deep/er/ref main --force"},
	{name: "refs-alias", mode: "archive", args: "refs --repo=repo --create=alias main --alias --force"},
	{name: "refs-delete", mode: "archive", args: "refs --repo=repo --delete other"},
	{name: "reset", mode: "archive", args: "reset --repo=repo main {first}"},
	{name: "summary", mode: "archive", prepare: "ostree --repo=repo summary -u; ostree --repo=repo refs --create=another main", args: "summary --repo=repo -u"},
	{name: "prune", mode: "archive", args: "prune --repo=repo --refs-only --depth=0"},
	{name: "prune-delete-commit", mode: "bare", args: "prune --repo=repo --delete-commit={first}", once: true, again: "prune --repo=repo"},
	{name: "commit-archive", mode: "archive", args: commitNew, tidy: true},
	{name: "commit-bare", mode: "bare", args: commitNew, tidy: true},
	{name: "commit-bare-user", mode: "bare-user", args: commitNew, tidy: true},
	{name: "commit-bare-user-only", mode: "bare-user-only", args: commitNew, tidy: true},
	{name: "commit-each", mode: "bare-user", config: "per-object-fsync=true\n", args: commitNew, tidy: true, side: true},
	{name: "commit-consume", mode: "bare", args: "commit --repo=repo -b main --parent=none -s subject --timestamp=@1700000900 --consume new", tidy: true, eats: true},
	{name: "commit-no-fsync", mode: "archive", config: "fsync=false\n", args: commitNew, tidy: true, loose: true},
	{name: "commit-summary", mode: "archive", config: "auto-update-summary=true\n", args: commitNew, tidy: true},
	{name: "pull-local", mode: "archive", args: "pull-local --repo=repo far", tidy: true},
	{name: "pull-local-other-mode", mode: "bare-user", args: "pull-local --repo=repo far", tidy: true},
	{name: "pull-local-repair", mode: "archive", prepare: "ostree --repo=repo pull-local far; rm repo/objects/*/$large; ostree --repo=repo fsck -q || true", args: "pull-local --repo=repo far", tidy: true, broken: true},
	{name: "pull", mode: "archive", prepare: pullPrepare, args: "pull --repo=repo far", tidy: true},
	{name: "pull-bare-user", mode: "bare-user", prepare: pullPrepare, args: "pull --repo=repo far", tidy: true},
	{name: "sign", mode: "archive", args: "sign --repo=repo --sign-type=dummy main secret"},
	{name: "checkout", mode: "bare", args: "checkout --repo=repo main to", once: true, tree: "to"},
	{name: "checkout-user", mode: "bare-user", args: "checkout --repo=repo --require-hardlinks -U main to", once: true, tree: "to"},
	{name: "fsck-delete", mode: "archive", prepare: "echo wrong:bytes > $(ls repo/objects/*/$shared)", args: "fsck --repo=repo -a --delete", broken: true, once: true},
}

// deedRoot makes the directory of a case.
func deedRoot(t testing.TB, c deedCase) (dir string, args []string) {
	t.Helper()
	needRoot(t)
	dir = scratch(t) + "/case"
	must(t, "cp", "-a", deedSources(t), dir)
	sums := map[string]string{}
	if c.mode != "" {
		repo := dir + "/repo"
		initRepo(t, repo, c.mode)
		config := "[core]\nrepo_version=1\nmode=" + c.mode + "\nmin-free-space-percent=0\ntmp-expiry-secs=0\n" + c.config
		if err := os.WriteFile(repo+"/config", []byte(config), 0o644); err != nil {
			t.Fatal(err)
		}
		sums["first"] = commit(t, repo, "main", dir+"/src/1", "--canonical-permissions")
		commit(t, repo, "main", dir+"/src/2", "--canonical-permissions")
		commit(t, repo, "other", dir+"/src/2", "--canonical-permissions")
	}
	env := []string{"url=" + deedServer().URL}
	for _, name := range []string{"shared", "large"} {
		_, sum := objectOf(t, dir+"/far", "main", "/"+name)
		env = append(env, name+"="+sum[2:]+".filez")
	}
	command{args: []string{"sh", "-ec", c.prepare}, dir: dir, env: env}.must(t)
	for word := range strings.FieldsSeq(c.args) {
		args = append(args, strings.ReplaceAll(word, "{first}", sums["first"]))
	}
	return dir, args
}

// deedServer serves the repository "far" to all cases.
var deedServer = sync.OnceValue(func() *httptest.Server {
	return httptest.NewServer(http.FileServer(http.Dir(filepath.Join(work, "deeds/far"))))
})

// deedSources makes, once, what all cases have.
var deedSourcesOnce sync.Once

func deedSources(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(work, "deeds")
	deedSourcesOnce.Do(func() {
		p := &plot{root: dir}
		for _, tree := range []string{"src/1", "src/2", "new"} {
			p.dir(tree + "/dir/deep")
			p.text(tree+"/shared", "in all")
			p.text(tree+"/dir/file", "in "+tree)
			p.link(tree+"/dir/link", "../shared")
		}
		p.text("new/empty", "")
		p.text("new/large", strings.Repeat("0123456789abcdef", 20000))
		if p.err != nil {
			t.Fatal(p.err)
		}
		initRepo(t, dir+"/far", "archive")
		commit(t, dir+"/far", "main", dir+"/new", "--canonical-permissions")
	})
	return dir
}

// deedCommand is the command line under test.
func deedCommand(t testing.TB, dir string, args []string) command {
	t.Helper()
	return command{args: append([]string{binary(t, "deployfs")}, args...), dir: dir, env: []string{"OSTREE_DUMMY_SIGN_ENABLED=1"}}
}

// refsOf are the refs of a repository, with what their files hold; an alias with where it leads.
func refsOf(t testing.TB, repo string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(repo+"/refs", func(name string, d os.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		if d.Type()&os.ModeSymlink != 0 {
			to, err := os.Readlink(name)
			found[name[len(repo):]] = "-> " + to
			return err
		}
		data, err := os.ReadFile(name)
		found[name[len(repo):]] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// storedIn are the names of a repository's objects and marks.
func storedIn(t testing.TB, repo string) (names []string) {
	t.Helper()
	for _, pattern := range []string{"objects/*/*", "state/*"} {
		found, err := filepath.Glob(repo + "/" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			names = append(names, name[len(repo):])
		}
	}
	slices.Sort(names)
	return names
}
