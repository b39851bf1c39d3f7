package tests

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// twin is a repository twice: the real program works on one, ours on the other.
type twin struct {
	theirs, ours string
	env          []string
}

// newTwin makes copies of a repository at the same path below different directories.
func newTwin(t *testing.T, repo string, env ...string) twin {
	t.Helper()
	return twin{clone(t, repo), clone(t, repo), env}
}

// both runs both programs with the words of a line ("_" is a blank) on their repositories, and
// compares what they say.
func (w twin) both(t *testing.T, line string) {
	t.Helper()
	args := strings.Fields(line)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "_", " ")
	}
	want := command{args: append([]string{"ostree", "--repo=" + w.theirs}, args...), env: w.env, dir: w.theirs}.run(t)
	got := command{args: append([]string{binary(t, "deployfs"), "--repo=" + w.ours}, args...), env: w.env, dir: w.ours}.run(t)
	if want.code != got.code || normalised(want.out, args[0] == "refs") != normalised(got.out, args[0] == "refs") || lastLine(want.err) != lastLine(got.err) {
		t.Errorf("%s: exit %d %q %q, want %d %q %q", line, got.code, got.out, got.err, want.code, want.out, want.err)
	}
}

// sameRefs compares the files and directories below refs.
func (w twin) sameRefs(t *testing.T, line string) {
	t.Helper()
	want, got := refTree(t, w.theirs), refTree(t, w.ours)
	if !slices.Equal(want, got) {
		t.Fatalf("%s: refs are\n%s\nwant\n%s", line, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// refTree lists what is below refs: names, types, permissions and contents.
func refTree(t *testing.T, repo string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(repo+"/refs", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		line := info.Mode().String() + " " + strings.TrimPrefix(path, repo)
		switch {
		case info.Mode().IsRegular():
			line += " " + readText(t, path)
		case !d.IsDir():
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			line += " -> " + to
		}
		list = append(list, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// refsWriteRepo has two commits of os/main and one of os/other.
func refsWriteRepo(t *testing.T, collection string) string {
	t.Helper()
	repo := newRepo(t, "archive")
	source := filepath.Join(scratch(t), "source")
	if err := os.MkdirAll(source, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{"os/main", "os/main", "os/other"} {
		commit(t, repo, ref, source, "--no-bindings", "--add-metadata-string=version=1")
	}
	config := readText(t, repo+"/config")
	if collection != "" {
		config += "collection-id=" + collection + "\n"
	}
	config += "\n[remote \"origin\"]\nurl=file:///nonexistent\ncollection-id=org.example.Remote\n"
	if err := os.WriteFile(repo+"/config", []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	return repo
}

// refsWriteLines are run in their order.
var refsWriteLines = []string{
	"refs --create=new os/main", "refs --create=new os/main", "refs --create=new os/main^", "refs --force --create=new os/main^",
	"refs --create=a/b/c os/main", "refs --create=a os/main", "refs --force --create=a/b os/main", "refs --create=a/b/c/d os/main",
	"refs --create=nope nope", "refs --create=x_y os/main", "refs --create=../x os/main", "refs --create= os/main",
	"refs --create=.x os/main", "refs --create=os/main^ os/other", "refs --create=os/main^^ os/other",
	"refs --create=origin:r/x os/main", "refs --create=origin:r/x os/other", "refs --create=r/x origin:r/x",
	"refs --create=odd_name:x os/main", "refs --delete r", "refs --create=r os/other", "reset origin:r/x os/other", "reset r os/main^",
	"reset r os/main^^", "reset r nope", "reset nope os/main", "reset r", "reset", "reset os os/main", "reset r os/main extra",
	"refs -A --create=alias os/main", "refs -A --create=z/y/alias os/other", "refs -A --create=alias os/other", "refs -A --create=new os/main",
	"refs -A --create=origin:alias os/main", "refs -A --create=another nope", "refs -A --create=another alias", "refs --delete os/other",
	"refs --delete alias", "refs -A --delete z", "refs --delete os/other another", "refs --create=os/other new", "refs", "refs -A",
	"refs --delete", "refs --delete nope", "refs --delete x_y", "refs --delete origin:nope", "refs --delete origin:r",
	"refs --delete new a", "refs --create=a os/main", "refs --create=one --delete os/main", "refs --create", "refs --create=two",
	"refs --create=two os/main os/other", "refs -c --create=org.example.New:m/x os/main", "refs -c --create=org.example.New:m/x os/other",
	"refs -c --create=org:m os/main", "refs -c --create=org.example.New:m_x os/main", "refs -c --create=org.example.New:m nope",
	"refs -c --create=org.example.Own:own os/main", "refs -c", "refs -c --delete", "refs -c --delete org.example.Own",
	"refs -c --delete org.example.None", "refs -c --delete org", "refs -c --delete org.example.New", "refs", "refs -c",
}

// TestRefsWritten runs both programs with the same lines in their order, and compares what they say
// and what they make of refs.
func TestRefsWritten(t *testing.T) {
	t.Parallel()
	w := newTwin(t, refsWriteRepo(t, "org.example.Own"))
	for _, line := range refsWriteLines {
		w.both(t, line)
		w.sameRefs(t, line)
	}
	if left, _ := filepath.Glob(w.ours + "/tmp/deployfs-*"); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	w = newTwin(t, refsWriteRepo(t, ""))
	for _, line := range []string{"refs -c --create=org.example.New:m/x os/main", "refs -c", "refs -c --delete org.example.New", "refs"} {
		w.both(t, line)
		w.sameRefs(t, line)
	}
}

// TestRefsWrittenBetter: what the real program does to a repository's harm.
func TestRefsWrittenBetter(t *testing.T) {
	t.Parallel()
	repo := clone(t, refsWriteRepo(t, ""))
	none := strings.Repeat("0", 64)
	ostree(t, repo, "refs", "--create=origin:x", "os/main")
	ostree(t, repo, "refs", "--create=origin:r/x", "os/main")
	ostree(t, repo, "refs", "-c", "--create=org.example.M:r/x", "os/main")
	for _, c := range []struct{ line, err string }{
		{"refs --create=lost " + none, "error: No such metadata object " + none + ".commit\n"},
		{"reset os/main " + none, "error: No such metadata object " + none + ".commit\n"},
		{"refs -A --force --create=os/main os/main", "error: Cannot create alias to itself: os/main\n"},
		{"refs -A --create=x origin:x", "error: Cannot create alias to remote ref: origin\n"},
		{"refs --create=origin:r os/main", "error: Conflict: x exists under r when attempting write\n"},
		{"refs -c --create=org.example.M:r os/main", "error: Conflict: x exists under r when attempting write\n"},
		{"refs -A --create=os os/main", "error: Conflict: main exists under os when attempting write\n"},
	} {
		before := refTree(t, repo)
		got := deployfs(t, append([]string{"--repo=" + repo}, strings.Fields(c.line)...)...)
		if got.code != 1 || got.err != c.err {
			t.Errorf("%s: exit %d, %q, want %q", c.line, got.code, got.err, c.err)
		}
		if after := refTree(t, repo); !slices.Equal(before, after) {
			t.Errorf("%s: refs are %q", c.line, after)
		}
	}
	must(t, binary(t, "deployfs"), "--repo="+repo, "refs", "--delete", "origin:") // the real one can't
	if left := ostree(t, repo, "refs"); left != "os/main\nos/other" && left != "os/other\nos/main" {
		t.Errorf("left are %q", left)
	}
}
