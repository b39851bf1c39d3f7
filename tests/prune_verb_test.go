package tests

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pruneLines are run on copies of one repository by both programs. Words in braces are filled in
// by pruneRepo, "_" is a blank.
var pruneLines = []string{
	"", "--no-prune", "--refs-only", "--refs-only --no-prune", "--refs-only --depth=0", "--refs-only --depth=1", "--refs-only --depth=2 --no-prune",
	"--depth=0", "--refs-only --depth=-1", "--refs-only --depth=-7", "--refs-only --depth=0x1", "--refs-only --depth=_2",
	"--depth=x", "--depth=1x", "--depth=", "--depth=99999999999", "--depth", "--nope", "some arguments",
	"--commit-only", "--commit-only --refs-only", "--commit-only --refs-only --depth=1", "--commit-only --refs-only --no-prune", "--commit-only --keep-younger-than=@1700000300",
	"--only-branch=red", "--only-branch=red --depth=1", "--only-branch=red --only-branch=green --depth=0", "--only-branch=origin:blue --depth=0",
	"--only-branch=nope --depth=0", "--only-branch= --depth=0", "--only-branch=red^ --depth=0", "--only-branch=../x",
	"--retain-branch-depth=red=1", "--retain-branch-depth=red=0", "--retain-branch-depth=red=-3", "--retain-branch-depth=red=-1 --depth=0",
	"--retain-branch-depth=red=2 --retain-branch-depth=green=1 --depth=0", "--retain-branch-depth=origin:blue=1 --keep-younger-than=@1800000000",
	"--retain-branch-depth=red", "--retain-branch-depth=red=", "--retain-branch-depth=red=x", "--retain-branch-depth=red=1x", "--retain-branch-depth=red=+1",
	"--retain-branch-depth=red=_1", "--retain-branch-depth==1", "--retain-branch-depth=nope=1", "--retain-branch-depth=red=1=2",
	"--only-branch=red --retain-branch-depth=red=0 --depth=1", "--only-branch=red --retain-branch-depth=green=1 --depth=0",
	"--keep-younger-than=@1700000300", "--keep-younger-than=2023-11-14_22:18:20_UTC", "--keep-younger-than=2023-11-14T22:20:00Z", "--keep-younger-than=@0",
	"--keep-younger-than=yesterday", "--keep-younger-than=1_week_ago", "--keep-younger-than=@1700000300 --no-prune", "--keep-younger-than=@1700000300 --only-branch=red",
	"--delete-commit={first}", "--delete-commit={loose}", "--delete-commit={tip}", "--delete-commit={mirrored}", "--delete-commit={zero}", "--delete-commit=m",
	"--delete-commit=abc", "--delete-commit=", "--delete-commit=../../config", "--delete-commit={first} --no-prune", "--delete-commit={second} --refs-only --depth=1",
	"--static-deltas-only", "--static-deltas-only --delete-commit={tip}", "--static-deltas-only --delete-commit={second}", "--static-deltas-only --delete-commit=nope",
	"--static-deltas-only --delete-commit={tip} --refs-only --depth=0",
}

// TestPruneVerb lets both programs prune copies of one repository: the same files are left, with
// the same bytes, and the same is said.
func TestPruneVerb(t *testing.T) {
	for _, mode := range repoModes[1:] {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r := newPruneRepo(t, mode)
			lines := pruneLines
			if testing.Short() || mode != "archive-z2" {
				lines = slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return len(line)%4 != 0 })
			}
			for _, line := range lines {
				r.compare(t, line)
			}
		})
	}
}

// TestPruneTombstones: where the configuration wants them, each commit that goes leaves one.
func TestPruneTombstones(t *testing.T) {
	for _, mode := range []string{"archive", "bare"} {
		r := newPruneRepo(t, mode)
		ostree(t, r.path, "config", "set", "core.tombstone-commits", "true")
		for _, line := range []string{"", "--refs-only --depth=0", "--refs-only --no-prune", "--commit-only --refs-only", "--delete-commit={first}"} {
			r.compare(t, line)
		}
	}
}

// pruneRepo is a repository with much to prune.
type pruneRepo struct {
	path  string
	names *strings.Replacer
}

// newPruneRepo makes one: three branches with a history each, one of a remote; a mirrored ref;
// an alias; a commit that no ref names; partial commits, with a ref and without; dangling objects;
// static deltas; detached metadata; payload links; summaries of remotes, known and not.
func newPruneRepo(t *testing.T, mode string) pruneRepo {
	t.Helper()
	needRoot(t)
	made := mode
	if mode == "bare-split-xattrs" {
		made = "bare"
	}
	repo := newRepo(t, made)
	source := scratch(t) + "/source"
	p := &plot{root: source}
	p.dir("same/deep")
	p.text("same/deep/file", "the same in every commit")
	p.link("same/link", "deep")
	if p.err != nil {
		t.Fatal(p.err)
	}
	history := func(branch string, n int, at int) (sums []string) {
		for i := range n {
			text := fmt.Sprint(branch, i)
			for _, name := range []string{"/version", "/same/" + branch} {
				if err := os.WriteFile(source+name, []byte(strings.Repeat(text, 1+400*i)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			must(t, "mkdir", "-p", source+"/"+branch+"/"+text+"/sub")
			sums = append(sums, commit(t, repo, branch, source, fmt.Sprintf("--timestamp=@%d", 1700000000+at+100*i),
				"--canonical-permissions", "--add-detached-metadata-string=note="+text))
		}
		return sums
	}
	red := history("red", 6, 0)
	green := history("green", 4, 50)
	history("blue", 3, 250)
	loose := history("loose", 2, 350)
	history("single", 1, 0)
	partial := history("partial", 3, 150)
	ostree(t, repo, "refs", "--create=origin:blue", "blue")
	ostree(t, repo, "refs", "--create=alias", "--alias", "single")
	deltas := [][]string{{"--from=" + red[4], "--to=" + red[5]}, {"--empty", "--to=" + red[5]}, {"--empty", "--to=" + red[1]}, {"--from=" + loose[0], "--to=" + loose[1]}, {"--from=" + green[0], "--to=" + green[1]}}
	for _, args := range deltas {
		ostree(t, repo, append([]string{"static-delta", "generate"}, args...)...)
	}
	ostree(t, repo, "summary", "-u")
	ostree(t, repo, "refs", "--delete", "blue")
	ostree(t, repo, "refs", "--delete", "loose")
	must(t, "mkdir", "-p", repo+"/refs/mirrors/org.example.Mirror/x", repo+"/tmp/cache/summaries", repo+"/deltas/zz/junk", repo+"/objects/zz")
	must(t, "cp", repo+"/refs/heads/single", repo+"/refs/mirrors/org.example.Mirror/x/y")
	makePartial(t, repo, partial)
	for _, name := range []string{"gone", "gone.sig", "origin", "origin.sig"} {
		if err := os.WriteFile(repo+"/tmp/cache/summaries/"+name, []byte("summary"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	addDangling(t, repo, red[5])
	config, err := os.OpenFile(repo+"/config", os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = config.WriteString("payload-link-threshold=10\n\n[remote \"origin\"]\nurl=http://localhost/\n")
		config.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if mode == "bare-split-xattrs" {
		split := scratch(t) + "/split"
		splitXattrs(t, repo, split)
		repo = split
	}
	return pruneRepo{repo, strings.NewReplacer("_", " ", "{first}", red[0], "{second}", red[1], "{tip}", red[5], "{loose}", loose[1],
		"{mirrored}", green[3], "{zero}", strings.Repeat("0", 64))}
}

// makePartial takes a directory of the last commit and the file of the first away, which are marked.
func makePartial(t *testing.T, repo string, sums []string) {
	t.Helper()
	_, tree := objectOf(t, repo, sums[2], "/partial")
	_, file := objectOf(t, repo, sums[0], "/version")
	for _, sum := range []string{sums[0], sums[2]} {
		if err := os.WriteFile(repo+"/state/"+sum+".commitpartial", nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{objectPath(repo, tree, "dirtree"), contentPath(repo, file)} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// addDangling adds objects that no commit needs, payload links, and files that are no objects.
// Detached metadata without a commit is none of them: the real program leaves it.
func addDangling(t *testing.T, repo, rev string) {
	t.Helper()
	_, small := objectOf(t, repo, rev, "/same/deep/file")
	write := func(path string) {
		must(t, "mkdir", "-p", filepath.Dir(path))
		if err := os.WriteFile(path, []byte(path[len(repo):]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	digits := strings.Repeat("ab", 32)
	for _, kind := range []string{"file", "filez", "dirtree", "dirmeta", "file-xattrs"} {
		write(objectPath(repo, digits, kind))
	}
	write(repo + "/objects/ab/" + digits[:61] + ".file")
	write(repo + "/objects/zz/" + digits[2:] + ".file")
	if readMode(t, repo) == "archive" {
		return // there are no payload links
	}
	for digits, target := range map[string]string{"cd": small, "ce": digits} {
		path := objectPath(repo, strings.Repeat(digits, 32), "payload-link")
		must(t, "mkdir", "-p", filepath.Dir(path))
		if err := os.Symlink("../"+target[:2]+"/"+target[2:]+".file", path); err != nil {
			t.Fatal(err)
		}
	}
}

func readMode(t *testing.T, repo string) string {
	t.Helper()
	return strings.TrimSuffix(ostree(t, repo, "config", "get", "core.mode"), "-z2")
}

// compare runs both programs on copies.
func (r pruneRepo) compare(t *testing.T, line string) {
	t.Helper()
	var args []string
	for _, word := range strings.Fields(line) {
		args = append(args, r.names.Replace(word))
	}
	theirs, ours := clone(t, r.path), clone(t, r.path)
	want := command{args: append([]string{"ostree", "--repo=" + theirs, "prune"}, args...)}.run(t)
	got := deployfs(t, append([]string{"--repo=" + ours, "prune"}, args...)...)
	if want.code != got.code || want.out != got.out || lastLine(want.err) != lastLine(got.err) {
		t.Errorf("prune %s: exit %d %q %q, want %d %q %q", line, got.code, got.out, got.err, want.code, want.out, want.err)
	}
	if want.code == 0 {
		sameFiles(t, "prune "+line, theirs, ours)
	}
	if want.code == 0 {
		ostree(t, ours, "fsck", "-q")
	}
	if left, _ := filepath.Glob(ours + "/tmp/prune-*"); len(left) > 0 {
		t.Errorf("prune %s: left %v", line, left)
	}
	os.RemoveAll(theirs)
	os.RemoveAll(ours)
}

// lastLine is the message itself: usage precedes it, and a remedy follows ours.
func lastLine(text string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "error:") {
			return line
		}
	}
	return text
}

// sameFiles compares the files below two directories: names, kinds, permissions and bytes.
func sameFiles(t *testing.T, what, want, got string) {
	t.Helper()
	theirs, ours := filesBelow(t, want), filesBelow(t, got)
	for name, text := range theirs {
		if found, ok := ours[name]; !ok {
			t.Errorf("%s: %s is gone", what, name)
		} else if found != text {
			t.Errorf("%s: %s is %.200q, want %.200q", what, name, found, text)
		}
	}
	for name := range ours {
		if _, ok := theirs[name]; !ok {
			t.Errorf("%s: %s is left", what, name)
		}
	}
}

func filesBelow(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		var data []byte
		if d.Type().IsRegular() {
			data, err = os.ReadFile(path)
		}
		files[path[len(dir):]] = fmt.Sprint(info.Mode(), " ", string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestPruneParent: a child is pruned, its parent is not, and what only the parent holds is no loss.
func TestPruneParent(t *testing.T) {
	parent := newPruneRepo(t, "archive")
	child := newRepo(t, "archive")
	ostree(t, child, "config", "set", "core.parent", parent.path)
	source := scratch(t)
	for i := range 4 {
		if err := os.WriteFile(source+"/own", fmt.Append(nil, i), 0o644); err != nil {
			t.Fatal(err)
		}
		commit(t, child, "own", source)
	}
	ostree(t, child, "refs", "--create=ours/red", parent.names.Replace("{tip}"))
	r := pruneRepo{child, parent.names}
	before := filesBelow(t, parent.path)
	for _, line := range []string{"", "--refs-only --depth=1", "--commit-only", "--retain-branch-depth=own=1 --depth=0"} {
		r.compare(t, line)
	}
	for name, text := range filesBelow(t, parent.path) {
		if before[name] != text && name != "/.lock" {
			t.Errorf("parent: %s changed", name)
		}
	}
	// commits of the parent that no ref of the child names: the real program fails, for nothing
	o := deployfs(t, "--repo="+child, "prune", "--commit-only", "--refs-only", "--depth=0")
	if o.code != 0 || !strings.Contains(o.out, "Deleted 3 objects") {
		t.Errorf("%d %q %q", o.code, o.out, o.err)
	}
}

// TestPruneOverlap: refs that share commits keep what each of them keeps, in whatever order they are met.
func TestPruneOverlap(t *testing.T) {
	r := newPruneRepo(t, "archive")
	for i := range 6 {
		ostree(t, r.path, "refs", fmt.Sprintf("--create=tag/%d", i), "red"+strings.Repeat("^", i))
	}
	repo := clone(t, r.path)
	o := deployfs(t, "--repo="+repo, "prune", "--retain-branch-depth=tag/3=1", "--only-branch=red", "--only-branch=tag/3", "--depth=0")
	if o.code != 0 {
		t.Fatal(o.err)
	}
	if n := strings.Count(ostree(t, repo, "log", "red"), "commit "); n < 6 {
		t.Errorf("%d commits of red are left", n)
	}
}

// TestPruneMirrored: whatever the options, a commit that a mirrored ref names is kept.
func TestPruneMirrored(t *testing.T) {
	r := newPruneRepo(t, "archive")
	repo := clone(t, r.path)
	for _, ref := range []string{"alias", "single"} {
		ostree(t, repo, "refs", "--delete", ref)
	}
	tip := strings.TrimSpace(readText(t, repo+"/refs/mirrors/org.example.Mirror/x/y"))
	for _, line := range []string{"--refs-only --depth=0", "--keep-younger-than=now", "--only-branch=red --depth=0"} {
		must(t, append([]string{binary(t, "deployfs"), "--repo=" + repo, "prune"}, strings.Fields(line)...)...)
		ostree(t, repo, "ls", "-R", tip)
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestPruneRefuses: what can't be understood is kept, and said.
func TestPruneRefuses(t *testing.T) {
	r := newPruneRepo(t, "archive")
	for what, c := range map[string]struct {
		harm func(repo string) error
		args []string
		want string
	}{
		"empty ref":    {func(repo string) error { return os.Truncate(repo+"/refs/heads/red", 0) }, []string{"--refs-only"}, "ref red"},
		"damaged tree": {func(repo string) error { return damageRoot(t, repo) }, nil, "corrupted dirtree"},
		"missing tree": {func(repo string) error {
			_, tree := objectOf(t, repo, "red", "/same")
			return os.Remove(objectPath(repo, tree, "dirtree"))
		}, nil, "No such metadata object"},
		"unknown date": {func(string) error { return nil }, []string{"--keep-younger-than=noon tomorrow"}, "Could not parse 'noon tomorrow'"},
	} {
		repo := clone(t, r.path)
		if err := c.harm(repo); err != nil {
			t.Fatal(err)
		}
		before := filesBelow(t, repo)
		o := deployfs(t, append([]string{"--repo=" + repo, "prune"}, c.args...)...)
		if o.code != 1 || !strings.Contains(o.err, c.want) {
			t.Errorf("%s: exit %d %q, want %q", what, o.code, o.err, c.want)
		}
		delete(before, "/.lock")
		after := filesBelow(t, repo)
		for name := range before {
			if _, ok := after[name]; !ok {
				t.Errorf("%s: %s is gone", what, name)
			}
		}
	}
}

func damageRoot(t *testing.T, repo string) error {
	_, tree := objectOf(t, repo, "red", "/")
	path := objectPath(repo, tree, "dirtree")
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	at := bytes.Index(data, []byte("version"))
	data[at] = 'w'
	return os.WriteFile(path, data, 0o644)
}

// TestPruneUnwritable: who can't delete is told so.
func TestPruneUnwritable(t *testing.T) {
	s := newStranger(t)
	repo := sharedRepo(t, "archive", "plain")
	for _, args := range [][]string{{"prune"}, {"prune", "--no-prune"}} {
		want := s.command(append([]string{"ostree", "--repo=" + repo}, args...)...).run(t)
		got := s.command(append([]string{binary(t, "deployfs"), "--repo=" + repo}, args...)...).run(t)
		if got.code != want.code || got.out != want.out || lastLine(got.err) != lastLine(want.err) {
			t.Errorf("%v: exit %d %q %q, want %d %q %q", args, got.code, got.out, got.err, want.code, want.out, want.err)
		}
	}
}

// TestPruneCut ends prune at random moments: no commit is left that lacks an object, and the next
// run comes to the same end.
func TestPruneCut(t *testing.T) {
	r := newPruneRepo(t, "archive")
	args := []string{"prune", "--refs-only", "--depth=0"}
	whole := clone(t, r.path)
	must(t, append([]string{binary(t, "deployfs"), "--repo=" + whole}, args...)...)
	killed := 0
	for i := range 25 {
		repo := clone(t, r.path)
		// ends at the deletion of file number 2i, as by SIGKILL
		need(t, have("strace"), "strace is not installed")
		o := command{args: append([]string{"strace", "-f", "-qq", "-e", "trace=unlinkat", "-e",
			fmt.Sprintf("inject=unlinkat:signal=KILL:when=%d", 2*i+1), "-o", "/dev/null", binary(t, "deployfs"), "--repo=" + repo}, args...)}.run(t)
		if o.code != 0 {
			killed++
		}
		if o := (command{args: []string{"ostree", "--repo=" + repo, "fsck", "-q"}}.run(t)); o.code != 0 {
			t.Errorf("cut at %d: %s", 2*i+1, o.err)
		}
		must(t, append([]string{binary(t, "deployfs"), "--repo=" + repo}, args...)...)
		sameFiles(t, fmt.Sprintf("cut at %d", 2*i+1), whole, repo)
		os.RemoveAll(repo)
	}
	if killed < 5 {
		t.Errorf("cut off only %d times", killed)
	}
}
