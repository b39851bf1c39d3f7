package pull

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/binding"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/transaction"
)

func newRepo(t *testing.T, mode objstore.Mode, config string) *objstore.Repo {
	t.Helper()
	t.Setenv("OSTREE_SUPPRESS_SYNCFS", "1")
	r, err := objstore.Create(filepath.Join(t.TempDir(), "repo"), objstore.Setup{Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	if err := r.WriteConfig([]byte("[core]\nrepo_version=1\nmode=" + mode.String() + "\n" + config)); err != nil {
		t.Fatal(err)
	}
	return r
}

// grow commits a tree of one directory with one file to a ref. What the file holds
// is the commit's subject.
func grow(t *testing.T, r *objstore.Repo, ref, subject string, bound ...string) object.Checksum {
	t.Helper()
	tx, err := transaction.Begin(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	file, err := tx.WriteContent(object.Header{Mode: object.ModeRegular | 0o644, Size: uint64(len(subject))}, strings.NewReader(subject))
	if err != nil {
		t.Fatal(err)
	}
	write := func(kind object.Kind, data []byte) object.Checksum {
		sum, err := tx.WriteMetadata(kind, data)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	c := object.Commit{Metadata: metadata(bound), Subject: subject}
	c.Parent, _ = r.Resolve(ref)
	c.RootMeta = write(object.KindDirMeta, object.DirMeta{Mode: object.ModeDir | 0o755}.Encode())
	sub := write(object.KindDirTree, object.EncodeDirTree([]object.File{{Name: "file", Content: file}}, nil))
	c.Root = write(object.KindDirTree, object.EncodeDirTree(nil, []object.Dir{{Name: "dir", Tree: sub, Meta: c.RootMeta}}))
	sum := write(object.KindCommit, c.Encode())
	tx.SetRef(refs.Name{Ref: ref}, sum)
	if err := tx.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	return sum
}

// metadata is that of a commit that is bound to refs, or not at all.
func metadata(bound []string) gvariant.Value {
	if bound == nil {
		return gvariant.NewArray("{sv}")
	}
	var list []gvariant.Value
	for _, ref := range bound {
		list = append(list, gvariant.NewString(ref))
	}
	return gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString(binding.KeyRefs), gvariant.NewVariant(gvariant.NewArray("s", list...))))
}

func local(t *testing.T, dest, src *objstore.Repo, o Options) Result {
	t.Helper()
	r, err := Local(context.Background(), dest, src, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// objects counts what a repository holds, by kind.
func objects(t *testing.T, r *objstore.Repo) map[object.Kind]int {
	t.Helper()
	count := map[object.Kind]int{}
	if err := r.EachObject(func(name object.Name) { count[name.Kind]++ }); err != nil {
		t.Fatal(err)
	}
	return count
}

// whole fails unless a commit is there with all that it needs.
func whole(t *testing.T, r *objstore.Repo, commit object.Checksum) {
	t.Helper()
	if r.IsPartial(commit) {
		t.Errorf("%s is partial", commit)
	}
	c, err := r.Commit(commit)
	if err != nil {
		t.Fatal(err)
	}
	root, err := r.DirTree(c.Root)
	if err != nil {
		t.Fatal(err)
	}
	_, sub, _ := root.Dir(0)
	dir, err := r.DirTree(sub)
	if err != nil {
		t.Fatal(err)
	}
	_, file := dir.File(0)
	content, err := r.Content(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := content.Verify(); err != nil {
		t.Error(err)
	}
	content.Close()
}

// TestDepth: so many parents come as are asked for; an absent one ends a history.
func TestDepth(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	var line []object.Checksum
	for i := range 5 {
		line = append(line, grow(t, src, "main", fmt.Sprint(i)))
	}
	for depth, want := range map[int]int{0: 1, 2: 3, 4: 5, 9: 5, AllParents: 5} {
		dest := newRepo(t, objstore.Bare, "")
		r := local(t, dest, src, Options{Refs: []string{"main"}, Depth: depth})
		if got := objects(t, dest)[object.KindCommit]; got != want || r.Content != want || r.Metadata != 3*want+1 {
			t.Errorf("depth %d: %d commits, %+v", depth, got, r)
		}
		for i := range want {
			whole(t, dest, line[len(line)-1-i])
		}
	}
	remove(t, src, object.Name{Checksum: line[2], Kind: object.KindCommit})
	dest := newRepo(t, objstore.Bare, "")
	if local(t, dest, src, Options{Depth: AllParents}); objects(t, dest)[object.KindCommit] != 2 {
		t.Error("beyond an absent parent")
	}
	if left, _ := filepath.Glob(dest.Path() + "/state/*"); left != nil {
		t.Errorf("marked: %q", left)
	}
	remove(t, src, object.Name{Checksum: line[4], Kind: object.KindCommit})
	if _, err := Local(context.Background(), newRepo(t, objstore.Bare, ""), src, Options{Depth: AllParents}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the commit itself is absent: %v", err)
	}
}

func remove(t *testing.T, r *objstore.Repo, name object.Name) {
	t.Helper()
	_, path := r.ObjectFile(name)
	if err := os.Remove(filepath.Join(r.Path(), "objects", path)); err != nil {
		t.Fatal(err)
	}
}

// TestDepths: a commit that several refs lead to is followed as far as the longest way says.
func TestDepths(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	for i := range 4 {
		grow(t, src, "old", fmt.Sprint(i))
	}
	tip, _ := src.Resolve("old")
	if err := src.SetRef(refs.Name{Ref: "a"}, tip); err != nil {
		t.Fatal(err)
	}
	grow(t, src, "a", "new")
	dest := newRepo(t, objstore.Archive, "")
	if local(t, dest, src, Options{Refs: []string{"a", "old"}, Depth: 2}); objects(t, dest)[object.KindCommit] != 4 {
		t.Error(objects(t, dest))
	}
}

// TestPartial: commits alone stay marked until their trees come.
func TestPartial(t *testing.T) {
	src := newRepo(t, objstore.Bare, "")
	sum := grow(t, src, "main", "text")
	dest := newRepo(t, objstore.Bare, "")
	if r := local(t, dest, src, Options{CommitOnly: true}); r.Metadata != 1 || r.Content != 0 || !dest.IsPartial(sum) {
		t.Errorf("%+v, partial %v", r, dest.IsPartial(sum))
	}
	if r := local(t, dest, src, Options{}); r.Metadata != 3 || r.Content != 1 {
		t.Errorf("%+v", r)
	}
	whole(t, dest, sum)
	if r := local(t, dest, src, Options{}); r != (Result{}) {
		t.Errorf("%+v", r)
	}
}

// TestResume: a pull that fails leaves no ref and no commit; the next one takes what
// it has left, and all else, also where only the commit had come.
func TestResume(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	sum := grow(t, src, "main", "text")
	c, err := src.Commit(sum)
	if err != nil {
		t.Fatal(err)
	}
	name := object.Name{Checksum: c.Root, Kind: object.KindDirTree}
	objectsDir, path := src.ObjectFile(name)
	file := filepath.Join(src.Path(), objectsDir.Name(), path)
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	dest := newRepo(t, objstore.Archive, "")
	if _, err := Local(context.Background(), dest, src, Options{}); err == nil {
		t.Fatal("a tree without its root has come")
	}
	if held, _ := dest.HasObject(object.Name{Checksum: sum, Kind: object.KindCommit}); held || !dest.IsPartial(sum) {
		t.Errorf("held %v, partial %v", held, dest.IsPartial(sum))
	}
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	r := local(t, dest, src, Options{})
	if r.Metadata >= 4 {
		t.Errorf("%+v: nothing was left", r)
	}
	whole(t, dest, sum)
}

// TestStop: a pull that is stopped ends, and leaves the refs.
func TestStop(t *testing.T) {
	src, dest := newRepo(t, objstore.Bare, ""), newRepo(t, objstore.Archive, "")
	grow(t, src, "main", "text")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Local(ctx, dest, src, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := dest.Resolve("main"); err == nil {
		t.Error("the ref has moved")
	}
}

// TestRefs: which refs come, and where they go.
func TestRefs(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	a, b := grow(t, src, "a/x", "1"), grow(t, src, "b", "2")
	for _, c := range []struct {
		o    Options
		want map[refs.Name]object.Checksum
	}{
		{Options{}, map[refs.Name]object.Checksum{{Ref: "a/x"}: a, {Ref: "b"}: b}},
		{Options{Refs: []string{"b", "b"}}, map[refs.Name]object.Checksum{{Ref: "b"}: b}},
		{Options{Refs: []string{a.String()}}, nil},
		{Options{Remote: "o"}, map[refs.Name]object.Checksum{{Remote: "o", Ref: "a/x"}: a, {Remote: "o", Ref: "b"}: b}},
	} {
		dest := newRepo(t, objstore.Archive, "")
		local(t, dest, src, c.o)
		list, err := dest.Refs()
		if err != nil || len(list) != len(c.want) {
			t.Errorf("%v, %v, want %v", list, err, c.want)
		}
		for _, ref := range list {
			if want := c.want[refs.Name{Remote: ref.Remote, Ref: ref.Ref}]; ref.Checksum != want.String() {
				t.Errorf("%s is %s, want %s", ref, ref.Checksum, want)
			}
		}
	}
	for name, want := range map[string]string{
		"nope": "Refspec 'nope' not found", "x:y": "Invalid ref name x:y", "../b": "Invalid ref name ../b",
		strings.Repeat("0", 64): "Importing " + strings.Repeat("0", 64) + ".commit: linkat: No such file or directory",
	} {
		if _, err := Local(context.Background(), newRepo(t, objstore.Archive, ""), src, Options{Refs: []string{name}}); err == nil || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBindings: a commit that is made for other refs does not come for this one.
func TestBindings(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	sum := grow(t, src, "main", "text", "other")
	_, err := Local(context.Background(), newRepo(t, objstore.Archive, ""), src, Options{})
	if want := "Commit " + sum.String() + ": Commit has no requested ref ‘main’ in ref binding metadata (‘other’)"; err == nil || err.Error() != want {
		t.Error(err)
	}
	local(t, newRepo(t, objstore.Archive, ""), src, Options{Unbound: true})
}

// TestMirrorAlias: a mirror takes every ref of a commit, if the commit is made for one of them.
func TestMirrorAlias(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	sum := grow(t, src, "main", "text", "main")
	if err := src.SetRef(refs.Name{Ref: "alias"}, sum); err != nil {
		t.Fatal(err)
	}
	publish(t, src)
	dest := newRepo(t, objstore.Archive, "")
	local(t, dest, src, Options{Mirror: true})
	for _, ref := range []string{"main", "alias"} {
		if got, err := dest.Resolve(ref); err != nil || got != sum {
			t.Errorf("%s is %s, %v", ref, got, err)
		}
	}
	want := "Commit " + sum.String() + ": Commit has no requested ref ‘alias’ in ref binding metadata (‘main’)"
	if _, err := Local(context.Background(), dest, src, Options{Mirror: true, Refs: []string{"alias", "main"}}); err == nil || err.Error() != want {
		t.Error(err)
	}
	grow(t, src, "stray", "other text", "main")
	publish(t, src)
	if _, err := Local(context.Background(), dest, src, Options{Mirror: true}); err == nil || !strings.Contains(err.Error(), "no requested ref ‘stray’") {
		t.Error(err)
	}
}

// TestEveryRef: each of several refs of one commit counts.
func TestEveryRef(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	sum := grow(t, src, "main", "text", "main")
	if err := src.SetRef(refs.Name{Ref: "zz"}, sum); err != nil {
		t.Fatal(err)
	}
	if _, err := Local(context.Background(), newRepo(t, objstore.Archive, ""), src, Options{}); err == nil || !strings.Contains(err.Error(), "‘zz’") {
		t.Error(err)
	}
}

// TestSigned: signatures are verified of each commit, and of the summary.
func TestSigned(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	grow(t, src, "main", "1")
	sum := grow(t, src, "main", "2")
	refused := errors.New("refused")
	var asked []object.Checksum
	o := Options{Depth: AllParents, VerifyCommit: func(commit object.Checksum, data []byte, _ gvariant.Value) error {
		asked = append(asked, commit)
		if err := objstore.CheckMetadata(object.Name{Checksum: commit, Kind: object.KindCommit}, data); err != nil {
			t.Error(err)
		}
		if commit == sum {
			return nil
		}
		return refused
	}}
	dest := newRepo(t, objstore.Archive, "")
	if _, err := Local(context.Background(), dest, src, o); !errors.Is(err, refused) || len(asked) != 2 {
		t.Errorf("%v, asked for %v", err, asked)
	}
	if n := objects(t, dest)[object.KindCommit]; n != 0 {
		t.Errorf("%d commits have come", n)
	}
	o = Options{Refs: []string{sum.String()}, VerifySummary: func(summary, signatures []byte) error {
		if summary != nil || signatures != nil {
			t.Error("there is no summary")
		}
		return refused
	}}
	if _, err := Local(context.Background(), dest, src, o); !errors.Is(err, refused) {
		t.Error(err)
	}
}

// TestSummary: refs mean what the summary says.
func TestSummary(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	old := grow(t, src, "main", "1")
	writeSummary(t, src, "main", old)
	grow(t, src, "main", "2")
	grow(t, src, "new", "3")
	dest := newRepo(t, objstore.Archive, "")
	local(t, dest, src, Options{Refs: []string{"main"}})
	if sum, err := dest.Resolve("main"); err != nil || sum != old {
		t.Errorf("main is %s, %v", sum, err)
	}
	_, err := Local(context.Background(), dest, src, Options{})
	if err == nil || err.Error() != "No such branch 'new' in repository summary" {
		t.Error(err)
	}
	_, err = Local(context.Background(), dest, src, Options{NeedDeltas: true, Refs: []string{"main"}})
	if err == nil || err.Error() != "Can't use static deltas in an archive repo" {
		t.Error(err)
	}
	_, err = Local(context.Background(), newRepo(t, objstore.Bare, ""), src, Options{NeedDeltas: true, Refs: []string{"main"}})
	if err == nil || err.Error() != "Fetch configured to require static deltas, but no summary deltas or delta index found" {
		t.Error(err)
	}
}

func writeSummary(t *testing.T, r *objstore.Repo, ref string, sum object.Checksum) {
	t.Helper()
	about := gvariant.NewTuple(gvariant.NewUint64(100), gvariant.NewBytes(sum[:]), gvariant.NewArray("{sv}"))
	list := gvariant.NewArray("(s(taya{sv}))", gvariant.NewTuple(gvariant.NewString(ref), about))
	data := gvariant.NewTuple(list, gvariant.NewArray("{sv}")).Bytes()
	if err := os.WriteFile(filepath.Join(r.Path(), "summary"), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDamage: a commit with another checksum is told, and taken; junk is not.
func TestDamage(t *testing.T) {
	src := newRepo(t, objstore.Archive, "")
	sum, other := grow(t, src, "main", "1"), object.Checksum{1}
	dir, path := src.ObjectFile(object.Name{Checksum: sum, Kind: object.KindCommit})
	_, wrong := src.ObjectFile(object.Name{Checksum: other, Kind: object.KindCommit})
	base := filepath.Join(src.Path(), dir.Name())
	if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(base, wrong)), 0o755), os.Rename(filepath.Join(base, path), filepath.Join(base, wrong))); err != nil {
		t.Fatal(err)
	}
	if err := src.SetRef(refs.Name{Ref: "main"}, other); err != nil {
		t.Fatal(err)
	}
	var told []error
	dest := newRepo(t, objstore.Archive, "")
	local(t, dest, src, Options{Warn: func(err error) { told = append(told, err) }})
	if len(told) != 1 || !strings.Contains(told[0].Error(), other.String()) {
		t.Errorf("told %v", told)
	}
	o := Options{ImportOptions: transaction.ImportOptions{Untrusted: true}}
	want := fmt.Sprintf("fsck %s.commit: Corrupted commit object; checksum expected='%s' actual='%s'", other, other, sum)
	if _, err := Local(context.Background(), newRepo(t, objstore.Archive, ""), src, o); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
