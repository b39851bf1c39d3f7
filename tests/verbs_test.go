package tests

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// verbsRepo is a repository in which every verb has something to say, and names for what it holds.
type verbsRepo struct {
	path  string
	names *strings.Replacer // {repo}, {commit}, ...: what a command line of the table may refer to
}

// newVerbsRepo makes one: three commits of os/main, one of os/bare (no subject, no bindings), two
// aliases, a remote with a collection, a mirrored collection.
func newVerbsRepo(t *testing.T, mode string) verbsRepo {
	t.Helper()
	needRoot(t)
	source := filepath.Join(scratch(t), "source")
	growVerbs(t, source)
	repo := filepath.Join(scratch(t), "repo")
	if mode == "bare-split-xattrs" {
		bare := filepath.Join(scratch(t), "bare")
		fillVerbs(t, bare, "bare", source)
		splitXattrs(t, bare, repo)
	} else {
		fillVerbs(t, repo, mode, source)
	}
	config, err := os.OpenFile(repo+"/config", os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = config.WriteString("collection-id=org.example.Os\n\n[remote \"origin\"]\nurl=http://localhost/\ncollection-id=org.example.Remote\n\n[odd]\ntext=\\sa\\tb\\\\n \nnumber=7\n")
		config.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return verbsRepo{repo, verbsNames(t, repo, source)}
}

func growVerbs(t *testing.T, root string) {
	p := &plot{root: root}
	p.dir("sub/deep")
	p.dir("emptydir")
	p.dir("etc")
	p.text("a b", "blank")
	p.text("empty", "")
	p.text("hello.txt", "hello\n")
	p.text("new\nline", "nl")
	p.text("grün", "grün\n")
	p.text("-d", "like an option")
	p.link("link", "hello.txt")
	p.link("dirlink", "sub")
	p.link("dangling", "nowhere")
	p.link("etc/absolute", "/hello.txt")
	p.file("sub/deep/big", noise(3, 200000))
	p.text("sub/x", "x")
	p.owner("sub/deep/big", 1000, 1001)
	p.mode("sub/x", 0o4755)
	p.mode("sub/deep", 0o2750)
	p.mode("emptydir", 0o1777)
	p.xattr("sub/x", "user.b", "two")
	p.xattr("sub/x", "user.a", "it's \"one\"\n")
	p.xattr("sub/x", "user.c", "\x00\xff\x10")
	p.xattr("sub", "user.text", "C string\x00")
	if p.err != nil {
		t.Fatal(p.err)
	}
}

func fillVerbs(t *testing.T, repo, mode, source string) {
	t.Helper()
	initRepo(t, repo, mode)
	options := []string{"-m", "body line 1\n\nbody line 3", "--add-metadata=num=uint32 7", "--add-metadata=list=[\"a\",\"it's\"]",
		"--add-detached-metadata-string=note=text", "--add-metadata=nested=<<(byte 1, @ay [], {'k': <true>})>>"}
	if mode == "bare-user-only" {
		options = append(options, "--canonical-permissions")
	}
	if strings.HasPrefix(mode, "archive") {
		options = append(options, "--generate-sizes")
	}
	for _, version := range []string{"1", "2", "3"} {
		if err := os.WriteFile(source+"/version", []byte(version), 0o644); err != nil {
			t.Fatal(err)
		}
		commit(t, repo, "os/main", source, append(options, "--add-metadata-string=version="+version)...)
	}
	commit(t, repo, "os/bare", source+"/emptydir", "-s", "", "--no-bindings", "--add-metadata=version=uint32 1", "--canonical-permissions")
	ostree(t, repo, "refs", "--create=stable", "--alias", "os/main")
	ostree(t, repo, "refs", "--create=z/alias", "--alias", "os/main")
	ostree(t, repo, "refs", "--create=z/y/real", "os/bare")
	ostree(t, repo, "refs", "--create=origin:r/x", "os/main")
	mirror := repo + "/refs/mirrors/org.example.Mirror/a"
	must(t, "mkdir", "-p", mirror)
	must(t, "cp", repo+"/refs/heads/os/main", mirror+"/b")
}

func verbsNames(t *testing.T, repo, source string) *strings.Replacer {
	t.Helper()
	_, file := objectOf(t, repo, "os/main", "sub/x")
	_, link := objectOf(t, repo, "os/main", "link")
	_, tree := objectOf(t, repo, "os/main", "/")
	commit := ostree(t, repo, "rev-parse", "os/main")
	meta := dirmetaOf(t, repo, "os/main", "/sub")
	return strings.NewReplacer("{repo}", repo, "{source}", source, "{nl}", "new\nline", "{none}", "",
		"{zero}", strings.Repeat("0", 64), "{commit}", commit, "{prefix}", commit[:7],
		"{file}", file, "{link}", link, "{dirtree}", tree, "{dirmeta}", meta,
		"{commitfile}", objectPath(repo, commit, "commit"), "{metafile}", objectPath(repo, meta, "dirmeta"))
}

// args are the words of a line, with names filled in.
func (r verbsRepo) args(line string) []string {
	words := strings.Fields(line)
	for i := range words {
		words[i] = r.names.Replace(strings.ReplaceAll(words[i], "_", " "))
	}
	return words
}

// TestVerbs runs both programs with the same command lines in every repository mode and compares
// standard output, standard error and exit status.
func TestVerbs(t *testing.T) {
	for _, mode := range repoModes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r := newVerbsRepo(t, mode)
			for _, line := range slices.Concat(lsLines, catLines, showLines, logLines, refsLines, revParseLines, configLines) {
				compareVerb(t, r.args(line+" --repo={repo}"), r.path)
			}
		})
	}
}

// TestCommandLines compares what is the same in every mode: where options may stand, how the
// repository is found, wrong use, and files of this machine.
func TestCommandLines(t *testing.T) {
	r := newVerbsRepo(t, "archive")
	dir := filepath.Dir(r.path)
	for _, line := range slices.Concat(optionLines, checksumLines) {
		compareVerb(t, r.args(line), dir)
	}
	for _, env := range []string{"OSTREE_REPO=" + r.path, "OSTREE_REPO=repo", "OSTREE_REPO=", "OSTREE_REPO=/nonexistent"} {
		compareVerb(t, []string{"rev-parse", "os/main"}, dir, env)
		compareVerb(t, []string{"rev-parse", "os/main"}, r.path, env)
	}
}

// TestVerbsOnDamage compares the answers to absent objects and partial history.
func TestVerbsOnDamage(t *testing.T) {
	for _, mode := range []string{"archive", "bare", "bare-user"} {
		t.Run(mode, func(t *testing.T) {
			r := newVerbsRepo(t, mode)
			_, file := objectOf(t, r.path, "os/main", "hello.txt")
			_, tree := objectOf(t, r.path, "os/main", "sub/deep")
			parent := ostree(t, r.path, "rev-parse", "os/main^")
			for _, path := range []string{contentPath(r.path, file), objectPath(r.path, tree, "dirtree"), objectPath(r.path, parent, "commit")} {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			for _, line := range append(damageLines, "show "+file, "show "+tree, "show "+parent) {
				compareVerb(t, r.args(line+" --repo={repo}"), r.path)
			}
		})
	}
}

// TestVerbsWithParent compares a repository that finds most of its objects and refs in another.
func TestVerbsWithParent(t *testing.T) {
	parent := newVerbsRepo(t, "bare")
	child := filepath.Join(scratch(t), "child")
	initRepo(t, child, "bare")
	ostree(t, child, "config", "set", "core.parent", parent.path)
	commit(t, child, "own", forest(t, "plain"))
	for _, line := range slices.Concat(lsLines, showLines, logLines, revParseLines, []string{"refs", "refs -A", "ls -RC own", "show own"}) {
		compareVerb(t, parent.args(line+" --repo="+child), child)
	}
}

// TestVerbsOnForest compares listings of the tree with every trap.
func TestVerbsOnForest(t *testing.T) {
	for _, mode := range []string{"archive", "bare", "bare-user", "bare-split-xattrs"} {
		repo := sharedRepo(t, mode, "traps")
		for _, line := range []string{"ls -R traps", "ls -RCX traps", "ls -R --nul-filenames-only traps", "log traps", "show --raw traps"} {
			compareVerb(t, append(strings.Fields(line), "--repo="+repo), repo)
		}
	}
}

// TestVerbsOnSignatures compares what is said of signatures by keys that nobody knows.
func TestVerbsOnSignatures(t *testing.T) {
	need(t, have("gpg"), "gpg is not installed")
	r := newVerbsRepo(t, "archive")
	home := scratch(t)
	gpg := func(args ...string) string {
		args = append([]string{"gpg", "--batch", "--quiet", "--pinentry-mode=loopback", "--passphrase="}, args...)
		return command{args: args, env: []string{"GNUPGHOME=" + home}}.must(t)
	}
	defer command{args: []string{"gpgconf", "--kill", "all"}, env: []string{"GNUPGHOME=" + home}}.run(t)
	for i, algorithm := range []string{"rsa2048", "ed25519", "nistp256", "dsa2048"} {
		name := algorithm + "@example.org"
		gpg("--quick-gen-key", name, algorithm, "sign", "never")
		ostree(t, r.path, "gpg-sign", "--gpg-homedir="+home, "os/main", name)
		if i == 0 {
			ostree(t, r.path, "gpg-sign", "--gpg-homedir="+home, "os/main^", name)
		}
	}
	for _, line := range []string{
		"show os/main", "show os/main^", "show os/main^^", "show --raw os/main", "show -B os/main", "show {commit}", "log os/main",
		"show --gpg-homedir=/nonexistent os/main", "show --gpg-verify-remote=nope os/main", "show --gpg-verify-remote=nope os/bare",
		"show --print-detached-metadata-key=ostree.gpgsigs os/main",
	} {
		compareVerb(t, r.args(line+" --repo={repo}"), r.path)
	}
}

// compareVerb runs ostree and deployfs with the same arguments and compares all that they do.
func compareVerb(t *testing.T, args []string, dir string, env ...string) {
	t.Helper()
	env = append(env, "HOME=/nonexistent")
	want := command{args: append([]string{"ostree"}, args...), dir: dir, env: env}.run(t)
	got := command{args: append([]string{binary(t, "deployfs")}, args...), dir: dir, env: env}.run(t)
	sorted := len(args) > 0 && args[0] == "refs" // the real program's order is a hash table's
	check := func(what, got, want string) {
		t.Helper()
		if got, want := normalised(got, sorted), normalised(want, sorted); got != want {
			t.Errorf("%q: %s\ndeployfs: %q\n  ostree: %q", args, what, got, want)
		}
	}
	check("stdout", got.out, want.out)
	check("stderr", got.err, want.err)
	if got.code != want.code {
		t.Errorf("%q: exit status %d, ostree has %d", args, got.code, want.code)
	}
}

var (
	blanks = regexp.MustCompile(` +`)
	// beyond are the lines of our help that ostree 2022.7 has not: our own options, those of newer
	// versions, and the list of verbs.
	beyond = regexp.MustCompile(`(?m)^ *(--json|--no-pager|-r, --revision|--print-hex|--list-(detached-)?metadata-keys|[a-z][-a-z]+  +[A-Z]` +
		`|-n, --max-count|--since|--until|--grep|--oneline|--stat[ =]|--graph-less[ =]|--sign-from-file|--show-signature).*\n`)
	// forms are what arguments of ostree's verbs may be beyond what they are to ostree.
	forms = regexp.MustCompile(`(?m)^(  (?:deployfs|ostree) .*?)( \[-- PATH\.\.\.\]| \| REV:PATH\.\.\.)$`)
	// extra is what our --help says after the options.
	extra = regexp.MustCompile(`(?s)(--version +Print version information and exit\n\n).*?(\n?error: .*)?$`)
)

// normalised takes out what may differ: the program's name and our additions in help.
func normalised(text string, sorted bool) string {
	if strings.HasPrefix(text, "Usage:") {
		text = extra.ReplaceAllString(beyond.ReplaceAllString(forms.ReplaceAllString(text, "$1"), ""), "$1$2")
		text = blanks.ReplaceAllString(strings.ReplaceAll(text, "deployfs", "ostree"), " ")
	}
	if sorted {
		lines := strings.Split(text, "\n")
		slices.Sort(lines)
		text = strings.Join(lines, "\n")
	}
	return text
}
