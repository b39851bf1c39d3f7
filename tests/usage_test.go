package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// duLine is what du says of a path, or of all.
type duLine struct {
	Path                                 string
	Apparent, Objects, Exclusive, Shared int
	OnDisk                               int `json:"on_disk"`
}

// duOf runs du with --json.
func duOf(t *testing.T, repo string, args ...string) (lines map[string]duLine, total duLine) {
	t.Helper()
	var got struct {
		Lines []duLine
		Total duLine
	}
	out := must(t, append([]string{binary(t, "deployfs"), "du", "--json", "--repo=" + repo}, args...)...)
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	lines = map[string]duLine{}
	for _, l := range got.Lines {
		lines[l.Path] = l
	}
	return lines, got.Total
}

// TestDuCheckout compares apparent sizes with what du says of a checkout.
func TestDuCheckout(t *testing.T) {
	for _, mode := range []string{"archive", "bare", "bare-user"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			repo, dir := sharedRepo(t, mode, "plain"), scratch(t)+"/checkout"
			ostree(t, repo, "checkout", "plain", dir)
			lines, total := duOf(t, repo, "-d", "99", "plain")
			du := numbers(t, must(t, "du", "--apparent-size", "--count-links", "-B1", dir))
			for line := range strings.Lines(must(t, "find", dir, "-type", "d", "-printf", "%s\t%p\n")) {
				size, path, _ := strings.Cut(strings.TrimSpace(line), "\t")
				n, _ := strconv.Atoi(size)
				for above := range du { // it counts the directories themselves, too
					if path == above || strings.HasPrefix(path, above+"/") {
						du[above] -= n
					}
				}
			}
			if len(lines) != len(du) {
				t.Errorf("%d lines, %d directories", len(lines), len(du))
			}
			for path, want := range du {
				name := strings.TrimPrefix(path, dir)
				if name == "" {
					name = "/"
				}
				if got, ok := lines[name]; !ok || got.Apparent != want {
					t.Errorf("%s: %+v, want %d", name, got, want)
				}
			}
			if total != (duLine{"", lines["/"].Apparent, lines["/"].Objects, lines["/"].Exclusive, lines["/"].Shared, lines["/"].OnDisk}) {
				t.Errorf("total %+v, root %+v", total, lines["/"])
			}
		})
	}
}

// numbers reads lines of a number, a tab and a name.
func numbers(t *testing.T, text string) map[string]int {
	t.Helper()
	m := map[string]int{}
	for line := range strings.Lines(text) {
		number, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		m[name] = n
	}
	return m
}

// objectsOf is what the real program lists of a commit: the files of its objects.
func objectsOf(t *testing.T, repo, rev string, paths ...string) map[string]bool {
	t.Helper()
	files := map[string]bool{}
	if len(paths) == 0 {
		files[objectPath(repo, ostree(t, repo, "rev-parse", rev), "commit")] = true
	}
	for line := range strings.Lines(ostree(t, repo, append([]string{"ls", "-R", "-C", rev}, paths...)...)) {
		f := strings.Fields(line)
		if strings.HasPrefix(line, "d") {
			files[objectPath(repo, f[4], "dirtree")], files[objectPath(repo, f[5], "dirmeta")] = true, true
		} else {
			files[contentPath(repo, f[4])] = true
		}
	}
	return files
}

// blocksOf is what files take, but for those that others need, in bytes.
func blocksOf(t *testing.T, files map[string]bool, others ...map[string]bool) (bytes int) {
	t.Helper()
	args := []string{"find"}
file:
	for name := range files {
		for _, other := range others {
			if other[name] {
				continue file
			}
		}
		args = append(args, name)
	}
	if len(args) == 1 {
		return 0
	}
	return 512 * sum(must(t, append(args, "-printf", "%b\n")...))
}

func sum(lines string) (total int) {
	for line := range strings.Lines(lines) {
		n, _ := strconv.Atoi(strings.TrimSpace(line))
		total += n
	}
	return total
}

// TestDuExclusive compares sizes on the disk with those of the files that the real
// program lists, of every commit that refs lead to.
func TestDuExclusive(t *testing.T) {
	t.Parallel()
	r := newPruneRepo(t, "archive")
	var revs []string
	for ref, n := range map[string]int{"red": 6, "green": 4, "single": 1, "origin:blue": 3} {
		for i := range n {
			revs = append(revs, ref+strings.Repeat("^", i))
		}
	}
	ostree(t, r.path, "refs", "--delete", "partial") // it can't be listed
	objects := map[string]map[string]bool{}
	for _, rev := range revs {
		objects[rev] = objectsOf(t, r.path, rev)
	}
	without := func(these ...string) (list []map[string]bool) {
		for rev, files := range objects {
			if !strings.Contains(" "+strings.Join(these, " ")+" ", " "+rev+" ") {
				list = append(list, files)
			}
		}
		return list
	}
	for _, rev := range []string{"red", "red^^", "green^^^", "single"} {
		lines, _ := duOf(t, r.path, rev)
		got, files := lines["/"], objects[rev]
		if want := blocksOf(t, files); got.OnDisk != want || got.Objects != len(files) || got.Shared != want-got.Exclusive {
			t.Errorf("%s: %+v, want %d objects, %d bytes", rev, got, len(files), want)
		}
		if want := blocksOf(t, files, without(rev)...); got.Exclusive != want || want == 0 {
			t.Errorf("%s: %+v, want %d bytes of its own", rev, got, want)
		}
	}
	both := objectsOf(t, r.path, "red")
	for name := range objects["red^"] {
		both[name] = true
	}
	_, total := duOf(t, r.path, "red", "red^")
	if disk, own := blocksOf(t, both), blocksOf(t, both, without("red", "red^")...); total.OnDisk != disk || total.Exclusive != own || total.Objects != len(both) {
		t.Errorf("%+v, want %d objects, %d and %d bytes", total, len(both), disk, own)
	}
	_, total = duOf(t, r.path, "red", "--", "/same", "/version")
	if files := objectsOf(t, r.path, "red", "/same", "/version"); total.OnDisk != blocksOf(t, files) || total.Exclusive != blocksOf(t, files, without("red")...) {
		t.Errorf("%+v, want %d and %d bytes", total, blocksOf(t, files), blocksOf(t, files, without("red")...))
	}
}

// TestDuTwice holds that nothing counts twice that is named twice.
func TestDuTwice(t *testing.T) {
	t.Parallel()
	repo := sharedRepo(t, "archive", "plain")
	sum := ostree(t, repo, "rev-parse", "plain")
	du := func(args ...string) string {
		return must(t, append([]string{binary(t, "deployfs"), "du", "--repo=" + repo}, args...)...)
	}
	for _, c := range []struct{ twice, once []string }{
		{[]string{"plain", sum, "plain"}, []string{"plain"}},
		{[]string{"plain", "--", "/usr/bin/tool", "/usr/share", "usr/bin", "/usr/share/doc", "usr/share/"}, []string{"plain", "--", "/usr/share", "/usr/bin"}},
		{[]string{"plain", "--", "/usr/bin", "/", "/usr"}, []string{"plain", "--", "/"}},
		{[]string{"plain:/usr/bin/tool", "plain:usr/share", "plain:/usr/bin", sum + ":usr/share"}, []string{"plain:usr/share", "plain:usr/bin"}},
		{[]string{"plain:usr/share", "plain:usr/bin"}, []string{"plain", "--", "/usr/share", "/usr/bin"}},
	} {
		if got, want := du(c.twice...), du(c.once...); got != want {
			t.Errorf("%q:\n%s\n%q:\n%s", c.twice, got, c.once, want)
		}
	}
	lines, total := duOf(t, repo, "plain:usr/share", "plain:usr/bin", "plain:/usr/bin/tool")
	if len(lines) != 2 || total.Apparent != lines["/usr/share"].Apparent+lines["/usr/bin"].Apparent {
		t.Errorf("%+v, total %+v", lines, total)
	}
	if got := deployfs(t, "du", "--repo="+repo, "plain", "--", "/usr", "/usr/nope"); got.code != 1 || !strings.Contains(got.err, "/usr/nope") {
		t.Errorf("exit %d, %q", got.code, got.err)
	}
}

// dfReport is what the tests look at of df.
type dfReport struct {
	Refs []struct {
		Ref                string
		Commits            int
		Objects, Exclusive dfAmount
	}
	Reachable, Unreachable dfAmount
	Other                  map[string]dfAmount
	Prune                  struct {
		Depth            int
		Objects, Mounted dfAmount
		Deltas           dfAmount `json:"static_deltas"`
		Detached         dfAmount `json:"detached_metadata"`
	}
}

type dfAmount struct {
	Files, Size int
	OnDisk      int `json:"on_disk"`
}

func dfOf(t *testing.T, repo string, args ...string) (r dfReport) {
	t.Helper()
	out := must(t, append([]string{binary(t, "deployfs"), "df", "--json", "--repo=" + repo}, args...)...)
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// diskOf is what the files below paths take.
func diskOf(t *testing.T, paths ...string) dfAmount {
	t.Helper()
	out := must(t, append(append([]string{"find"}, paths...), "!", "-type", "d", "-printf", "%b\n")...)
	return dfAmount{Files: strings.Count(out, "\n") + 1, OnDisk: 512 * sum(out)}
}

// TestDf: all parts together are what find sees; and a prune of the real program,
// of each depth, frees what df said before.
func TestDf(t *testing.T) {
	for _, mode := range []string{"archive", "bare"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r := newPruneRepo(t, mode)
			for _, depth := range []string{"-1", "0", "2"} {
				dfAndPrune(t, clone(t, r.path), depth)
			}
		})
	}
}

func dfAndPrune(t *testing.T, repo, depth string) {
	t.Helper()
	dfOf(t, repo) // makes the lock file
	before := diskOf(t, repo)
	got := dfOf(t, repo, "--depth="+depth)
	all := got.Reachable
	for _, part := range got.Other {
		all.Files, all.OnDisk = all.Files+part.Files, all.OnDisk+part.OnDisk
	}
	if all.Files+got.Unreachable.Files != before.Files || all.OnDisk+got.Unreachable.OnDisk != before.OnDisk {
		t.Errorf("%s: %+v, want in all %+v", repo, got, before)
	}
	objects, deltas := diskOf(t, repo+"/objects"), diskOf(t, repo+"/deltas")
	said := ostree(t, repo, "prune", "--refs-only", "--depth="+depth)
	free := got.Prune.Objects.OnDisk + got.Prune.Detached.OnDisk
	if left := diskOf(t, repo+"/objects"); objects.OnDisk-left.OnDisk != free || objects.Files-left.Files != got.Prune.Objects.Files+got.Prune.Detached.Files {
		t.Errorf("depth %s: %+v, but %+v became %+v", depth, got.Prune, objects, left)
	}
	if left := diskOf(t, repo+"/deltas"); deltas.OnDisk-left.OnDisk != got.Prune.Deltas.OnDisk || deltas.Files-left.Files != got.Prune.Deltas.Files {
		t.Errorf("depth %s: %+v, but of %+v deltas are left %+v", depth, got.Prune, deltas, left)
	}
	if want := fmt.Sprintf("Deleted %d objects", got.Prune.Objects.Files); !strings.Contains(said, want) {
		t.Errorf("depth %s: ostree says %q, want %q", depth, said, want)
	}
	if again := dfOf(t, repo, "--depth="+depth).Prune; again.Objects.Files+again.Deltas.Files != 0 {
		t.Errorf("depth %s: after a prune %+v", depth, again)
	}
}

// TestDfSays compares the text with what the real program would delete, and what
// is exclusive to a ref with what goes with it.
func TestDfSays(t *testing.T) {
	t.Parallel()
	repo := newPruneRepo(t, "archive").path
	must(t, "find", repo+"/objects", "-name", "*.payload-link", "-delete") // of which the real program counts more than it deletes
	for _, depth := range []string{"-1", "1"} {
		want := ostree(t, repo, "prune", "--refs-only", "--no-prune", "--depth="+depth)
		_, counts, _ := strings.Cut(want, "Would delete: ")
		number, size, _ := strings.Cut(counts, " objects, freeing ")
		out := must(t, binary(t, "deployfs"), "df", "--repo="+repo, "--depth="+depth)
		_, freed, _ := strings.Cut(out, "would free\n")
		if f := strings.Fields(freed); size == "" || f[0] != number || !strings.Contains(freed, "objects, "+size+"\n") {
			t.Errorf("%s\nostree: %s", out, want)
		}
	}
	ostree(t, repo, "prune", "--refs-only")
	exclusive := dfAmount{}
	for _, ref := range dfOf(t, repo).Refs {
		if ref.Ref == "green" {
			exclusive = ref.Exclusive
		}
	}
	before := diskOf(t, repo+"/objects")
	must(t, "rm", "-f", repo+"/refs/heads/green")
	ostree(t, repo, "prune", "--refs-only")
	after, meta := diskOf(t, repo+"/objects"), 4 // of its commits
	if exclusive.Files == 0 || before.Files-after.Files != exclusive.Files+meta {
		t.Errorf("exclusive %+v, but %+v became %+v", exclusive, before, after)
	}
}

// TestDfMounted: what is mounted is kept, and told apart.
func TestDfMounted(t *testing.T) {
	repo := newPruneRepo(t, "archive").path
	dir := mounted(t, "--repo="+repo, "--no-index", "red^^")
	got := dfOf(t, repo, "--depth=0").Prune
	o := must(t, binary(t, "deployfs"), "prune", "--repo="+repo, "--refs-only", "--depth=0")
	if want := fmt.Sprintf("Deleted %d objects", got.Objects.Files); got.Mounted.Files == 0 || !strings.Contains(o, want) {
		t.Errorf("%+v, but prune says %q", got, o)
	}
	umounted(t, dir)
	if again := dfOf(t, repo, "--depth=0").Prune; again.Objects != got.Mounted {
		t.Errorf("%+v were kept, now %+v are not", got.Mounted, again.Objects)
	}
}

// TestSizesUsage: what is wrong is said with the remedy.
func TestSizesUsage(t *testing.T) {
	repo := sharedRepo(t, "archive", "plain")
	for line, want := range map[string]string{
		"du":                  "error: a commit is needed\nhint: usage: deployfs du [OPTION…] REV... [-- PATH...] | REV:PATH...\n",
		"du plain /usr":       "error: /usr: paths stand behind --\nhint: usage: deployfs du [OPTION…] REV... [-- PATH...] | REV:PATH...\n",
		"du plain -d -1":      "error: --max-depth: \"-1\" is no depth: want 0, 1, 2 and so on\nhint: usage: deployfs du [OPTION…] REV... [-- PATH...] | REV:PATH...\n",
		"du nope":             "error: Refspec 'nope' not found\nhint: `deployfs refs` lists the refs there are\n",
		"du plain -- nope":    "error: commit " + ostree(t, repo, "rev-parse", "plain") + ": No such file or directory: /nope\nhint: `deployfs ls` shows what the commit holds\n",
		"du plain:usr plain":  "error: 'plain' is no REV:PATH\n",
		"du plain:nope":       "error: plain:/nope: No such file or directory\n",
		"du plain:usr -- etc": "error: a REV:PATH has its PATH: none is taken behind --\nhint: usage: deployfs du [OPTION…] REV... [-- PATH...] | REV:PATH...\n",
		"df --depth=x":        "error: --depth: Cannot parse integer value “x” for --depth\nhint: usage: deployfs df [OPTION…]\n",
		"df plain":            "error: no argument is taken: `deployfs du` tells about commits\nhint: usage: deployfs df [OPTION…]\n",
	} {
		o := deployfs(t, append(strings.Fields(line), "--repo="+repo)...)
		if strings.Contains(line, " -- ") {
			o = deployfs(t, append([]string{"--repo=" + repo}, strings.Fields(line)...)...)
		}
		if wrong := strings.Contains(want, "usage:"); o.err != want || o.out != "" || o.code != map[bool]int{true: 2, false: 1}[wrong] {
			t.Errorf("%s: exit %d %q\nwant %q", line, o.code, o.err, want)
		}
	}
	human := must(t, binary(t, "deployfs"), "du", "-h", "--repo="+repo, "plain", "--", "usr/bin/tool")
	if want := fmt.Sprintf("%12s", "293.0K"); !strings.Contains(human, want) || !strings.HasSuffix(human, "  plain:/usr/bin/tool") {
		t.Error(human)
	}
	if _, err := os.Stat(repo + "/deltas"); err == nil {
		t.Error("looking makes directories")
	}
}
