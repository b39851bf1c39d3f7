package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// fsckCase is damage done to a repository by shell, in which r is the repository, and p CHECKSUM KIND
// an object's path. Of its refs main has a parent; other has one that is of no ref.
type fsckCase struct {
	damage string
	args   string
	ours   string // what ours says instead of what ostree says, as "exit\nstdout\nstderr"; "" for the same
}

// fsckCases are run on copies of one repository by both programs.
var fsckCases = []fsckCase{
	{damage: ":"}, {damage: ":", args: "-q"}, {damage: ":", args: "-qa --delete"}, {damage: ":", args: "some arguments"}, {damage: ":", args: "--nope"}, {damage: ":", args: "--all=1"},
	{damage: "rm $(p $file file)"}, {damage: "rm $(p $file file) $(p $shared file)", args: "--delete"}, {damage: "rm $(p $file file)", args: "-a"},
	{damage: "wreck file $file"}, {damage: "wreck file $file", args: "-a"}, {damage: "wreck file $file; wreck file $shared", args: "-a --delete -q"},
	{damage: "wreck file $file; rm $(p $shared file)", args: "--delete"},
	{damage: "rm $(p $meta dirmeta)"}, {damage: "wreck dirmeta $meta"}, {damage: "wreck dirmeta $meta", args: "-a"}, {damage: "wreck dirmeta $meta", args: "--delete"},
	{damage: "rm $(p $tree dirtree)"}, {damage: "wreck dirtree $tree"}, {damage: "wreck dirtree $tree", args: "-a"}, {damage: "wreck dirtree $tree", args: "--delete"},
	{damage: "rm $(p $main commit)"}, {damage: "rm $(p $main commit)", args: "-a --delete"}, {damage: "rm $(p $parent commit)"}, {damage: "rm $(p $loose commit)"},
	{damage: "wreck commit $main"}, {damage: "wreck commit $main", args: "--delete"},
	{damage: "slight $main"}, {damage: "slight $parent"}, {damage: "slight $parent", args: "-a"}, {damage: "slight $parent", args: "--delete"},
	{damage: "slight $parent; echo '[core]\nrepo_version=1\nmode='$mode'\ntombstone-commits=true' > config", args: "--delete"},
	{damage: "touch state/$main.commitpartial; rm $(p $file file)"}, {damage: "touch state/$main.commitpartial; rm $(p $file file)", args: "-q"},
	{damage: "printf f > state/$main.commitpartial; rm $(p $file file)"}, {damage: "printf f > state/$parent.commitpartial; touch state/$main.commitpartial"},
	{damage: "printf f > state/$main.commitpartial", args: "--add-tombstones"}, {damage: "printf fine > state/$main.commitpartial"}, {damage: "printf F > state/$main.commitpartial; rm $(p $tree dirtree)"},
	{damage: "touch state/$main.commitpartial; wreck commit $main"}, {damage: "printf f > state/$main.commitpartial; rm $(p $shared file)"},
	{damage: "echo junk > refs/heads/main"}, {damage: "> refs/heads/main", args: "-a"}, {damage: "tr a-f A-F < refs/heads/main > x; cat x > refs/heads/main; rm x"},
	{damage: "mkdir refs/remotes/far; echo $zero > refs/remotes/far/ref"}, {damage: "mkdir -p refs/mirrors/org.x.Y; echo $zero > refs/mirrors/org.x.Y/ref"},
	{damage: "cp refs/heads/main refs/heads/copy"}, {damage: "cp refs/heads/main refs/heads/copy", args: "--verify-bindings"},
	{damage: "mkdir refs/remotes/far; cp refs/heads/main refs/remotes/far/main", args: "--verify-bindings"}, {damage: "mkdir refs/remotes/far; cp refs/heads/main refs/remotes/far/copy", args: "--verify-bindings"},
	{damage: "mkdir -p refs/mirrors/org.x.Y; cp refs/heads/main refs/mirrors/org.x.Y/main", args: "--verify-bindings"},
	{damage: "mkdir -p refs/mirrors/org.x.Y; cp refs/heads/main refs/mirrors/org.x.Y/copy", args: "--verify-bindings"},
	{damage: "echo collection-id=org.x.Z >> config; rm refs/heads/other", args: "--verify-bindings"}, {damage: "ln -s main refs/heads/alias", args: "--verify-bindings"},
	{damage: "rm refs/heads/*"}, {damage: "rm -r refs/mirrors"}, {damage: "rm -r refs/heads"}, {damage: "rm -r refs/remotes"}, {damage: "rm -r refs"},
	{damage: "rm $(p $parent commit) $(p $loose commit)", args: "--verify-back-refs"}, {damage: "rm $(p $parent commit) $(p $loose commit) refs/heads/other", args: "--verify-back-refs"},
	{damage: "rm $(p $loose commit)", args: "--verify-back-refs"},
	{damage: ":", args: "--add-tombstones"}, {damage: "rm -r objects/*; rm refs/heads/*"}, {damage: "rm -r objects"}, {damage: "rm config"},
	// Where ostree is careless, or comes to a dead end.
	{damage: "rm $(p $tree dirtree)", args: "-a", ours: "1\n{start}Verifying content integrity of 4 commit objects...\nfsck objects (N/N) 100%\n\n" +
		"Object missing in commits {main}, {parent}: {tree}.dirtree\nMarking commit as partial: {main}\nMarking commit as partial: {parent}\nerror: Repository corruption encountered\n"},
	{damage: "printf x > $(p $parent commit)", ours: "1\n{start}Verifying content integrity of 4 commit objects...\n\n" +
		"error: In commits {parent}: fsck {parent}.commit: Corrupted commit object; checksum expected='{parent}' actual='2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881'\n"},
	{damage: "echo junk > $(p $main commitmeta)", ours: "1\n{start}Verifying content integrity of 4 commit objects...\n\n" +
		"error: In commits {main}: fsck {main}.commitmeta: gvariant of type a{sv}: not in normal form\n"},
	{damage: "cp refs/heads/main refs/heads/copy", args: "--verify-back-refs", ours: "1\nValidating refs...\n\n" +
		"error: Commit {main}: Commit has no requested ref ‘copy’ in ref binding metadata (‘main’)\n"},
	{damage: "rm $(p $parent commit)", args: "--add-tombstones", ours: "0\n{start}Verifying content integrity of 3 commit objects...\nfsck objects (N/N) 100%\n" +
		"Adding tombstone for commit {parent}\nobject fsck of 3 commits completed successfully - no errors found.\n\n"},
	{damage: "ln -s ../../../../../../../etc/passwd refs/heads/away", ours: "1\nValidating refs...\n\nerror: Listing refs: away: Invalid cross-device link\n"},
}

// fsckTools are what damage is done with.
const fsckTools = `p() { k=$2; [ $k != file ] || k=$suffix; echo objects/${1%${1#??}}/${1#??}.$k; }
wreck() { f=$(p $2 $1); if [ -h $f ]; then ln -sfn elsewhere $f; else printf wrong:bytes > $f; fi; }
slight() { sed -i s/subject/Subject/ $(p $1 commit); }
`

// TestFsck lets both programs check copies of damaged repositories: the same is said, and the same
// files are left, with the same bytes.
func TestFsck(t *testing.T) {
	for _, mode := range repoModes[1:] {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r := newFsckRepo(t, mode)
			for i, c := range fsckCases {
				if mode == "archive-z2" || !testing.Short() && i%10 == len(mode)%10 {
					t.Run(fmt.Sprint(i), func(t *testing.T) {
						t.Parallel()
						r.compare(t, c)
					})
				}
			}
		})
	}
}

// fsckRepo is a repository to be damaged.
type fsckRepo struct {
	path  string
	names map[string]string
}

func newFsckRepo(t *testing.T, mode string) fsckRepo {
	t.Helper()
	repo := newRepo(t, strings.TrimSuffix(mode, "-split-xattrs"))
	source := scratch(t) + "/source"
	p := &plot{root: source}
	p.dir("dir/deep")
	p.text("dir/deep/file", "in main and its parent")
	p.text("dir/shared", "in every commit")
	p.link("link", "dir")
	p.text("empty", "")
	p.text("file", "")
	if p.err != nil {
		t.Fatal(p.err)
	}
	sums := map[string]string{"zero": strings.Repeat("0", 64), "mode": mode, "suffix": "file"}
	if mode == "archive-z2" {
		sums["suffix"] = "filez"
	}
	for _, name := range []string{"loose", "other", "parent", "main"} {
		err := os.WriteFile(source+"/file", []byte("in "+name), 0o644)
		if name == "parent" {
			err = os.WriteFile(source+"/dir/deep/more", nil, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		branch := map[string]string{"loose": "other", "parent": "main"}[name]
		if branch == "" {
			branch = name
		}
		sums[name] = commit(t, repo, branch, source, "--canonical-permissions")
	}
	_, sums["file"] = objectOf(t, repo, "main", "/file")
	_, sums["shared"] = objectOf(t, repo, "main", "/dir/shared")
	_, sums["tree"] = objectOf(t, repo, "main", "/dir/deep")
	sums["meta"] = dirmetaOf(t, repo, "main", "/")
	if mode == "bare-split-xattrs" {
		split := scratch(t) + "/split"
		splitXattrs(t, repo, split)
		repo = split
	}
	return fsckRepo{repo, sums}
}

// damaged is a copy that is damaged.
func (r fsckRepo) damaged(t *testing.T, damage string) string {
	t.Helper()
	repo := clone(t, r.path)
	if damage == ":" {
		return repo
	}
	var env []string
	for name, value := range r.names {
		env = append(env, name+"="+value)
	}
	command{args: []string{"sh", "-ec", fsckTools + damage}, dir: repo, env: env}.must(t)
	return repo
}

// compare runs both programs on copies.
func (r fsckRepo) compare(t *testing.T, c fsckCase) {
	t.Helper()
	what := fmt.Sprintf("%s; fsck %s", c.damage, c.args)
	ours := r.damaged(t, c.damage)
	theirs := ours
	if c.ours == "" {
		theirs = clone(t, ours)
	}
	got := deployfs(t, append([]string{"--repo=" + ours, "fsck"}, strings.Fields(c.args)...)...)
	if c.ours != "" {
		if text := fsckText(got); text != r.fill(c.ours) {
			t.Errorf("%s:\n%s\nwant\n%s", what, text, r.fill(c.ours))
		}
		return
	}
	want := command{args: append([]string{"ostree", "--repo=" + theirs, "fsck"}, strings.Fields(c.args)...)}.run(t)
	want.out, want.err = strings.ReplaceAll(want.out, theirs, ours), strings.ReplaceAll(want.err, theirs, ours)
	if fsckText(want) != fsckText(got) {
		t.Errorf("%s:\n%s\nwant\n%s", what, fsckText(got), fsckText(want))
	}
	for _, repo := range []string{ours, theirs} {
		os.Remove(repo + "/.lock") // which only one of them takes
	}
	if !strings.Contains(c.damage, "rm -r") && !strings.Contains(c.damage, "rm config") {
		sameFiles(t, what, theirs, ours)
	}
}

func (r fsckRepo) fill(text string) string {
	text = strings.ReplaceAll(text, "{start}", "Validating refs...\nValidating refs in collections...\nEnumerating commits...\n")
	for name, value := range r.names {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return inOrder(text)
}

var (
	fsckFirst   = regexp.MustCompile(`(?m)^fsck objects \(1/\d+\) \d+%\n`)
	fsckNumber  = regexp.MustCompile(`\((\d+)/(\d+)\) 100%`)
	fsckCommits = regexp.MustCompile(`[0-9a-f]{64}(, [0-9a-f]{64})*`)
)

// fsckText is what a program said. Its order, that of a hash table with ostree, is made one, and
// remedies are left out. The line about the first object is there with ostree unless it was that
// which ended the check.
func fsckText(o outcome) string {
	out := fsckFirst.ReplaceAllString(o.out, "")
	err := regexp.MustCompile(`(?m)^hint: .*\n`).ReplaceAllString(o.err, "")
	return inOrder(fmt.Sprintf("%d\n%s\n%s", o.code, out, err))
}

func inOrder(text string) string {
	text = fsckCommits.ReplaceAllStringFunc(text, func(list string) string {
		sums := strings.Split(list, ", ")
		slices.Sort(sums)
		return strings.Join(sums, ", ")
	})
	lines := strings.SplitAfter(fsckNumber.ReplaceAllString(text, "(N/N) 100%"), "\n")
	first := slices.IndexFunc(lines, func(line string) bool {
		return strings.HasPrefix(line, "In commits") || strings.HasPrefix(line, "Object missing in") || strings.HasPrefix(line, "Marking")
	})
	last := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "error: ") })
	if first >= 0 && last > first {
		slices.Sort(lines[first:last])
	}
	return strings.Join(lines, "")
}

// TestFsckCareless: what ostree lets pass, and a checkout or a pull would trip over, is corrupt.
func TestFsckCareless(t *testing.T) {
	f := newForge(t)
	meta, empty := f.dirmeta(), f.meta("dirtree", gvTree(nil, nil))
	ok := f.file(plainFile, []byte("good bytes\n"))
	for what, data := range badTrees(raw(ok), raw(empty), raw(meta)) {
		fsckRefuses(t, f, "dirtree "+what, f.meta("dirtree", data), meta, sumOf(data)+".dirtree: ")
	}
	for what, data := range map[string][]byte{"slack": append(gvMeta(unix.S_IFDIR|0o755), 0), "regular": gvMeta(unix.S_IFREG | 0o644), "high bits": gvMeta(1<<16 | unix.S_IFDIR)} {
		fsckRefuses(t, f, "dirmeta "+what, empty, f.meta("dirmeta", data), sumOf(data)+".dirmeta: ")
	}
	for what, size := range map[string]uint64{"too small": 3, "too large": 20} {
		content := []byte("content " + what)
		sum := plainFile.sum(content)
		f.write(sum, "filez", append(plainFile.filez(size), deflated(content)...))
		fsckRefuses(t, f, "size "+what, f.dir(map[string]string{"x": sum}, nil), meta, "fsck content object "+sum+": ")
	}
}

// fsckRefuses checks that a repository with a commit of these root objects is corrupt, which one line says.
func fsckRefuses(t *testing.T, f forge, what, tree, meta, words string) {
	t.Helper()
	sum := f.commit(tree, meta)
	o := deployfs(t, "fsck", "--repo="+f.repo)
	line, hint, _ := strings.Cut(o.err, "\n")
	if o.code != 1 || !strings.HasPrefix(line, "error: In commits "+sum+": fsck ") || !strings.Contains(line, words) || strings.Count(hint, "\n") != 1 {
		t.Errorf("%s: exit %d, %q", what, o.code, o.err)
	}
	if err := os.Remove(objectPath(f.repo, sum, "commit")); err != nil {
		t.Fatal(err)
	}
}

// TestFsckReal: what real repositories hold is good.
func TestFsckReal(t *testing.T) {
	for _, mode := range repoModes[1:] {
		repo := clone(t, sharedRepo(t, mode, "plain"))
		for _, args := range [][]string{{"fsck"}, {"fsck", "--verify-back-refs", "-a", "--delete"}} {
			if o := deployfs(t, append(args, "--repo="+repo)...); o.code != 0 || o.err != "" {
				t.Errorf("%s, %s: exit %d, %s", mode, args, o.code, o.err)
			}
		}
	}
}

// TestFsckParent: commits and objects of a parent repository are checked, and nothing is changed there.
func TestFsckParent(t *testing.T) {
	above := newFsckRepo(t, "bare")
	for _, damage := range []string{":", "rm $(p $file file)", "wreck file $file"} {
		parent := above.damaged(t, damage)
		before := filesBelow(t, parent)
		repo := newRepo(t, "bare")
		ostree(t, repo, "config", "set", "core.parent", parent)
		want := command{args: []string{"ostree", "--repo=" + clone(t, repo), "fsck", "-a", "--delete"}}.run(t)
		got := deployfs(t, "fsck", "-a", "--delete", "--repo="+repo)
		if fsckText(want) != fsckText(got) {
			t.Errorf("%s:\n%s\nwant\n%s", damage, fsckText(got), fsckText(want))
		}
		if after := filesBelow(t, parent); !maps.Equal(before, after) {
			t.Errorf("%s: the parent was changed", damage)
		}
	}
}

// TestFsckJSON prints what is wrong as JSON.
func TestFsckJSON(t *testing.T) {
	r := newFsckRepo(t, "archive-z2")
	repo := r.damaged(t, "rm $(p $file file); wreck file $shared")
	o := deployfs(t, "fsck", "--json", "--repo="+repo, "--all")
	problem := func(object, missing, commits, reason string) string {
		return fmt.Sprintf(`{"object":"{%s}.file","missing":%s,"commits":[%s],"reason":"%s"}`, object, missing, commits, reason)
	}
	all := []string{r.names["loose"], r.names["main"], r.names["other"], r.names["parent"]}
	slices.Sort(all)
	want := r.fill(`{"repo":"` + repo + `","commits":4,"partial":0,"objects":{objects},"bytes":{bytes},"problems":[` +
		problem("file", "true", `"{main}"`, "the repository does not hold it") + "," +
		problem("shared", "false", `"`+strings.Join(all, `","`)+`"`, "File header size 2003988334 exceeds size 11") +
		`],"marked":["{main}"],"tombstones":[],"error":"Repository corruption encountered"}`)
	var text bytes.Buffer
	if err := json.Compact(&text, []byte(o.out)); err != nil {
		t.Fatal(err, o.out)
	}
	got := text.String()
	for _, name := range []string{"objects", "bytes"} {
		number := regexp.MustCompile(`"` + name + `":\d+`)
		got = number.ReplaceAllString(got, `"`+name+`":{`+name+`}`)
	}
	if o.code != 1 || got != want {
		t.Errorf("exit %d\n%s\nwant\n%s", o.code, got, want)
	}
}

// TestFsckUnreadable: an object that can't be read may be good, so that it is not removed.
func TestFsckUnreadable(t *testing.T) {
	r := newFsckRepo(t, "archive-z2")
	repo := r.damaged(t, "chmod 0 $(p $file file)")
	must(t, "chown", "-R", "65534", repo)
	o := command{args: []string{binary(t, "deployfs"), "fsck", "--delete", "--repo=" + repo}, uid: 65534}.run(t)
	if o.code != 1 || !strings.Contains(o.err, "Permission denied") || modeOf(filepath.Join(repo, "state", r.names["main"]+".commitpartial")) != 0 {
		t.Errorf("exit %d, %s", o.code, o.err)
	}
	if err := unix.Access(contentPath(repo, r.names["file"]), unix.F_OK); err != nil {
		t.Error(err)
	}
}
