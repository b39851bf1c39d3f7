package compose

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/modify"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/tree"
)

// place is a directory for repositories and sources on the file system of /var/tmp.
func place(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "deployfs-compose-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func newRepo(t *testing.T, dir string, mode objstore.Mode, config string) *objstore.Repo {
	t.Helper()
	r, err := objstore.Create(filepath.Join(dir, "repo"), objstore.Setup{Mode: mode})
	if err == nil {
		err = r.WriteConfig([]byte("[core]\nrepo_version=1\nfsync=false\nmin-free-space-percent=0\nmode=" + mode.String() + "\n" + config))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// files makes files of their names and contents; those that end in a slash are directories.
func files(t *testing.T, dir string, contents map[string]string) string {
	t.Helper()
	for name, text := range contents {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if strings.HasSuffix(name, "/") {
			err = errors.Join(err, os.MkdirAll(path, 0o755))
		} else {
			err = errors.Join(err, os.WriteFile(path, []byte(text), 0o644))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func run(r *objstore.Repo, request Request) (Result, error) {
	request.Orphan = request.Branch == ""
	plan, err := Prepare(r, request)
	if err != nil {
		return Result{}, err
	}
	return plan.Commit(context.Background())
}

func must(t *testing.T, r *objstore.Repo, request Request) object.Commit {
	t.Helper()
	result, err := run(r, request)
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.Commit(result.Commit)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// names lists the paths of a commit's tree, a directory's with a slash behind it.
func names(t *testing.T, r *objstore.Repo, c object.Commit) (all []string) {
	t.Helper()
	err := tree.Walk(r, tree.Root(c), func(e tree.Entry) error {
		name := e.Path
		if e.IsDir() {
			name += "/"
		}
		all = append(all, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func TestSourcesAreLaidOverOneAnother(t *testing.T) {
	dir := place(t)
	r := newRepo(t, dir, objstore.BareUser, "")
	lower := files(t, dir+"/lower", map[string]string{"a": "lower", "dir/x": "x", "dir/y": "lower"})
	upper := files(t, dir+"/upper", map[string]string{"b": "upper", "dir/y": "upper", "new/": ""})
	base := must(t, r, Request{Branch: "base", Sources: []Source{{Dir, lower}}})
	for name, request := range map[string]Request{
		"directories":      {Sources: []Source{{Dir, lower}, {Dir, upper}}},
		"base":             {Base: new("base"), Sources: []Source{{Dir, upper}}},
		"ref":              {Sources: []Source{{Ref, "base"}, {Dir, upper}}},
		"ref and modifier": {Sources: []Source{{Ref, "base"}, {Dir, upper}}, Modifier: new(modify.Modifier)},
	} {
		c := must(t, r, request)
		want := []string{"/a", "/b", "/dir/", "/dir/x", "/dir/y", "/new/"}
		if got := names(t, r, c); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		y, err := tree.Lookup(r, tree.Root(c), "dir/y")
		if err != nil {
			t.Fatal(err)
		}
		if h, err := r.Header(y.Content); err != nil || h.Size != 5 {
			t.Errorf("%s: dir/y: %+v, %v", name, h, err)
		}
		if c.Parent != (object.Checksum{}) || c.Root == base.Root {
			t.Errorf("%s: parent %s", name, c.Parent)
		}
	}
}

// keys are those of a commit's metadata, in their order.
func keys(c object.Commit) (list []string) {
	for i := range c.Metadata.Len() {
		list = append(list, c.Metadata.At(i).At(0).Str())
	}
	return list
}

func TestMetadata(t *testing.T) {
	dir := place(t)
	r := newRepo(t, dir, objstore.Archive, "collection-id=org.example\n")
	src := files(t, dir+"/src", map[string]string{"usr/lib/modules/6.1/vmlinuz": "k", "usr/lib/modules/none/x": ""})
	at := time.Unix(1700000000, 0)
	value := gvariant.NewString("v")
	first := must(t, r, Request{
		Branch: "main", Sources: []Source{{Dir, src}}, Bootable: true, Sizes: true, Time: &at, Subject: "s", Body: "b",
		BindRefs: []string{"z", "a"}, Metadata: []Pair{{"k", value}, {"l", value}},
	})
	want := []string{"k", "l", keyRefBinding, keyCollectionBinding, keyBootable, keyLinux, keySizes}
	if got := keys(first); !slices.Equal(got, want) {
		t.Errorf("keys %v, want %v", got, want)
	}
	bound, _ := first.Metadata.Lookup(keyRefBinding)
	release, _ := first.Metadata.Lookup(keyLinux)
	if text := gvariant.Print(bound, false, false); text != "['a', 'main', 'z']" || release.Str() != "6.1" {
		t.Errorf("bindings %s, kernel %q", text, release.Str())
	}
	if first.Timestamp != 1700000000 || first.Subject != "s" || first.Body != "b" {
		t.Errorf("%d %q %q", first.Timestamp, first.Subject, first.Body)
	}
	if sizes, err := first.Sizes(); err != nil || len(sizes) != 9 {
		t.Errorf("%d sizes, want 2 files, 6 dirtrees and 1 dirmeta: %v", len(sizes), err)
	}
	second := must(t, r, Request{Branch: "main", Sources: []Source{{Dir, src}}, Keep: []string{"l"}, NoBindings: true})
	if got := keys(second); !slices.Equal(got, []string{"l"}) || second.Parent.IsZero() {
		t.Errorf("keys %v, parent %s", got, second.Parent)
	}
	result, err := run(r, Request{Branch: "main", Sources: []Source{{Dir, src}}, SkipUnchanged: true})
	if tip, _ := r.Resolve("main"); err != nil || !result.Skipped || result.Commit != tip {
		t.Errorf("an unchanged tree: %+v, %v", result, err)
	}
}

func TestKernelRefused(t *testing.T) {
	dir := place(t)
	r := newRepo(t, dir, objstore.Archive, "")
	for want, contents := range map[string]map[string]string{
		"No such file or directory: /usr/lib":         {"usr/bin/x": ""},
		"No kernel found in /usr/lib/modules":         {"usr/lib/modules/6.1/x": ""},
		"Multiple kernels found in /usr/lib/modules":  {"usr/lib/modules/1/vmlinuz": "", "usr/lib/modules/2/vmlinuz": ""},
		"No such file or directory: /usr/lib/modules": {"usr/lib/modules": "a file"},
	} {
		src := files(t, place(t), contents)
		if _, err := run(r, Request{Sources: []Source{{Dir, src}}, Bootable: true}); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestConsume: what was committed is gone, what came later is not, and a commit that
// fails takes nothing.
func TestConsume(t *testing.T) {
	for _, mode := range []objstore.Mode{objstore.Bare, objstore.BareUserOnly, objstore.BareUser, objstore.Archive} {
		dir := place(t)
		r := newRepo(t, dir, mode, "")
		src := files(t, dir+"/src", map[string]string{"a": "file", "dir/b": "other", "skipped/c/d": "", "skipped/e": ""})
		given := stat(t, src+"/a").inode
		m := new(modify.Modifier)
		m.AddSkipList("/skipped\n/nowhere\n")
		if _, err := run(r, Request{Sources: []Source{{Dir, src}}, Modifier: m, Consume: true}); err == nil {
			t.Fatal("a skip list that meets nothing is taken")
		}
		if _, err := os.Stat(src + "/dir/b"); err != nil {
			t.Errorf("%s: a commit that failed has taken its source: %v", mode, err)
		}
		m = new(modify.Modifier)
		m.AddSkipList("/skipped")
		c := must(t, r, Request{Sources: []Source{{Dir, src}}, Modifier: m, Consume: true})
		if _, err := os.Lstat(src); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the source is there: %v", mode, err)
		}
		a, err := tree.Lookup(r, tree.Root(c), "a")
		if err != nil {
			t.Fatal(err)
		}
		stored := stat(t, objectPath(r, a.Content)).inode
		adopted := mode == objstore.Bare || mode == objstore.BareUserOnly
		if (given == stored) != adopted {
			t.Errorf("%s: taken over: %t, want %t", mode, !adopted, adopted)
		}
	}
}

func TestConsumeSparesTheRepository(t *testing.T) {
	dir := place(t)
	r := newRepo(t, dir, objstore.Bare, "")
	if _, err := run(r, Request{Sources: []Source{{Dir, dir}}, Consume: true}); err == nil {
		t.Error("the directory that the repository is in is consumed")
	}
	if _, err := os.Stat(dir + "/repo/config"); err != nil {
		t.Error(err)
	}
}

func TestConsumeKeepsWhatCame(t *testing.T) {
	dir := files(t, place(t), map[string]string{"a": "", "sub/b": "", "late": ""})
	g := given{dir, taken{self: stat(t, dir).inode, files: []takenFile{{name: "a", seen: stat(t, dir+"/a")}}}}
	b := &builder{given: []given{g}}
	if err := b.consume(); !errors.Is(err, unix.ENOTEMPTY) {
		t.Errorf("a directory with a file that came later: %v", err)
	}
	if _, err := os.Stat(dir + "/late"); err != nil {
		t.Error(err)
	}
}

// TestLinksToObjects: a link to a bare-user object is what the object says.
func TestLinksToObjects(t *testing.T) {
	dir := place(t)
	r := newRepo(t, dir, objstore.BareUser, "")
	owner := uint32(42)
	src := files(t, dir+"/src", map[string]string{"a": "content"})
	c := must(t, r, Request{Sources: []Source{{Dir, src}}, Modifier: &modify.Modifier{UID: &owner}})
	a, err := tree.Lookup(r, tree.Root(c), "a")
	if err != nil {
		t.Fatal(err)
	}
	_, path := r.ObjectFile(object.Name{Checksum: a.Content, Kind: object.KindFile})
	out := files(t, dir+"/out", map[string]string{"b": "new"})
	if err := os.Link(dir+"/repo/objects/"+path, out+"/a"); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		links Links
		known int
		uid   uint32
	}{{IgnoreLinks, 0, uint32(os.Geteuid())}, {KnowLinks, 1, 42}, {TrustLinks, 1, 42}} {
		result, err := run(r, Request{Sources: []Source{{Dir, out}}, Links: step.links})
		if err != nil || result.Known != step.known {
			t.Fatalf("%d files are known, want %d: %v", result.Known, step.known, err)
		}
		c, _ := r.Commit(result.Commit)
		a, _ := tree.Lookup(r, tree.Root(c), "a")
		if h, err := r.Header(a.Content); err != nil || h.UID != step.uid {
			t.Errorf("links %d: owner %d, want %d: %v", step.links, h.UID, step.uid, err)
		}
	}
}

func TestCancelled(t *testing.T) {
	dir := place(t)
	r := newRepo(t, dir, objstore.BareUser, "")
	src := files(t, dir+"/src", map[string]string{"a": "content"})
	plan, err := Prepare(r, Request{Branch: "main", Sources: []Source{{Dir, src}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := plan.Commit(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a commit that was cancelled: %v", err)
	}
	if _, err := r.Resolve("main"); err == nil {
		t.Error("it has moved the ref")
	}
}

func TestPrepareRefuses(t *testing.T) {
	r := newRepo(t, place(t), objstore.BareUser, "")
	if err := errors.Join(r.SetRef(refs.Name{Ref: "d/e"}, object.Checksum{1}), r.SetRef(refs.Name{Ref: "zero"}, object.Checksum{}), r.MakeDirs("refs/heads/empty")); err != nil {
		t.Fatal(err)
	}
	if _, err := Prepare(r, Request{Branch: "empty"}); err != nil {
		t.Error("a directory without refs:", err)
	}
	for want, request := range map[string]Request{
		"A branch must be specified with --branch, or use --orphan": {},
		"Invalid refspec a b": {Branch: "a b"},
		"Invalid refspec a^":  {Branch: "a^"},
		"Rev name '" + strings.Repeat("0", 64) + "' looks like a checksum":         {Branch: strings.Repeat("0", 64)},
		"openat(refs/heads/d/e/f): Not a directory":                                {Branch: "d/e/f"},
		"Conflict: e exists under d when attempting write":                         {Branch: "d"},
		"ref zero leads to no commit: its checksum is all zeros":                   {Branch: "zero"},
		"Invalid rev " + strings.Repeat("0", 64):                                   {Orphan: true, Parent: new(strings.Repeat("0", 64))},
		"Invalid rev zz":                                                           {Branch: "a", Parent: new("zz")},
		"Either --branch or --parent must be specified when using --keep-metadata": {Orphan: true, Keep: []string{"k"}},
	} {
		if _, err := Prepare(r, request); err == nil || err.Error() != want {
			t.Errorf("%+v: %v, want %s", request, err, want)
		}
	}
}
