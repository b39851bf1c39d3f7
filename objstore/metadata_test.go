package objstore

import (
	"errors"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// TestMetadata reads one object of each kind.
func TestMetadata(t *testing.T) {
	everyMode(t, func(t *testing.T, b *builder) {
		content := []byte("x")
		sum := b.content(b.regular(content), content)
		tree := b.dirtree(map[string]object.Checksum{"x": sum}, map[string]object.Checksum{"d": b.dirtree(nil, nil)})
		parent := b.commit("first", object.Checksum{})
		commit := b.commit("second", parent)
		r := b.open()
		if c, err := r.Commit(commit); err != nil || c.Subject != "second" || c.Parent != parent || c.RootMeta != b.dirmeta() {
			t.Errorf("commit %+v, %v", c, err)
		}
		d, err := r.DirTree(tree)
		if err != nil || d.NumFiles() != 1 || d.NumDirs() != 1 {
			t.Fatalf("dirtree %v, %v", d, err)
		}
		if _, got := d.File(0); got != sum {
			t.Errorf("the file is %s, want %s", got, sum)
		}
		if m, err := r.DirMeta(b.dirmeta()); err != nil || m.Mode != object.ModeDir|0o755 {
			t.Errorf("dirmeta %+v, %v", m, err)
		}
		for _, name := range []object.Name{{Checksum: commit, Kind: object.KindCommit}, {Checksum: sum, Kind: object.KindFile}} {
			if found, err := r.HasObject(name); !found || err != nil {
				t.Errorf("has %s: %v, %v", name, found, err)
			}
		}
		if list, err := r.Commits(); err != nil || len(list) != 2 {
			t.Errorf("commits %v, %v", list, err)
		}
	})
}

// TestAbsent: what is not there does not exist, whatever one asks for.
func TestAbsent(t *testing.T) {
	everyMode(t, func(t *testing.T, b *builder) {
		r, sum := b.open(), object.Checksum{1, 2, 3}
		_, content := r.Content(sum)
		_, header := r.Header(sum)
		_, stat := r.Stat(sum)
		_, commit := r.Commit(sum)
		_, tree := r.DirTree(sum)
		_, meta := r.DirMeta(sum)
		for kind, err := range map[object.Kind]error{
			object.KindFile: content, object.KindCommit: commit, object.KindDirTree: tree, object.KindDirMeta: meta,
		} {
			var absent *object.NotExistError
			if !errors.As(err, &absent) || absent.Object != (object.Name{Checksum: sum, Kind: kind}) || !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v", kind, err)
			}
		}
		if !errors.Is(header, fs.ErrNotExist) || !errors.Is(stat, fs.ErrNotExist) {
			t.Errorf("header: %v, stat: %v", header, stat)
		}
		if _, found, err := r.CommitMeta(sum); found || err != nil {
			t.Errorf("detached metadata: %v, %v", found, err)
		}
		if found, err := r.HasObject(object.Name{Checksum: sum, Kind: object.KindFile}); found || err != nil {
			t.Errorf("has the object: %v, %v", found, err)
		}
		if r.IsPartial(sum) {
			t.Error("partial")
		}
	})
}

// TestMetadataDamage tells a wrong checksum from bytes that mean nothing.
func TestMetadataDamage(t *testing.T) {
	b := build(t, "archive")
	good := b.commit("subject", object.Checksum{})
	other := b.commit("other", object.Checksum{})
	data, err := os.ReadFile(b.file(b.object(other, object.KindCommit)))
	b.check(err)
	b.write(b.object(good, object.KindCommit), data)
	name := object.Name{Checksum: good, Kind: object.KindCommit}
	_, err = b.open().Commit(good)
	wantCorrupt(t, "another commit", name, err)
	var corrupt *object.CorruptError
	if errors.As(err, &corrupt) && (corrupt.Expected != good || corrupt.Found != other) {
		t.Errorf("expected %s, found %s", corrupt.Expected, corrupt.Found)
	}
	if got, err := b.open().ReadMetadata(name, MaxMetadata); err != nil || !reflect.DeepEqual(got, data) {
		t.Errorf("unverified: %d bytes, %v", len(got), err)
	}
	for _, kind := range []object.Kind{object.KindCommit, object.KindDirTree, object.KindDirMeta} {
		junk := b.meta(kind, []byte("junk"))
		b.ref("heads/junk", junk)
		r := b.open()
		_, err = map[object.Kind]func(object.Checksum) (any, error){
			object.KindCommit:  func(s object.Checksum) (any, error) { return r.Commit(s) },
			object.KindDirTree: func(s object.Checksum) (any, error) { return r.DirTree(s) },
			object.KindDirMeta: func(s object.Checksum) (any, error) { return r.DirMeta(s) },
		}[kind](junk)
		wantCorrupt(t, "junk", object.Name{Checksum: junk, Kind: kind}, err)
	}
	if _, err := b.open().Resolve("junk^"); err == nil {
		t.Error("junk has a parent")
	}
}

func TestUnreadable(t *testing.T) {
	b := build(t, "archive")
	b.write("objects/01", []byte("a file where a directory belongs"))
	r, sum := b.open(), object.Checksum{1}
	_, content := r.Content(sum)
	_, commit := r.Commit(sum)
	_, has := r.HasObject(object.Name{Checksum: sum, Kind: object.KindCommit})
	for what, err := range map[string]error{"content": content, "commit": commit, "has": has} {
		var unreadable *ReadError
		if !errors.As(err, &unreadable) || unreadable.Object.Checksum != sum || !strings.HasSuffix(err.Error(), ": Not a directory") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestMaxMetadata(t *testing.T) {
	b := build(t, "archive")
	name := object.Name{Checksum: object.Checksum{1}, Kind: object.KindDirTree}
	b.write(b.object(name.Checksum, name.Kind), nil)
	b.check(os.Truncate(b.file(b.object(name.Checksum, name.Kind)), MaxMetadata+1))
	if data, err := b.open().ReadMetadata(name, MaxMetadata); err == nil {
		t.Errorf("%d bytes are read", len(data))
	}
}

func TestCommitMeta(t *testing.T) {
	b := build(t, "archive")
	commit := b.commit("subject", object.Checksum{})
	entry := gvariant.NewEntry(gvariant.NewString("key"), gvariant.NewVariant(gvariant.NewString("value")))
	b.write(b.object(commit, object.KindCommitMeta), gvariant.NewArray("{sv}", entry).Bytes())
	v, found, err := b.open().CommitMeta(commit)
	if err != nil || !found {
		t.Fatalf("%v, %v", found, err)
	}
	if value, ok := v.Lookup("key"); !ok || value.Str() != "value" {
		t.Errorf("key is %v, %v", value, ok)
	}
	b.write(b.object(commit, object.KindCommitMeta), []byte("junk"))
	_, found, err = b.open().CommitMeta(commit)
	wantCorrupt(t, "junk", object.Name{Checksum: commit, Kind: object.KindCommitMeta}, err)
	if found {
		t.Error("junk is found")
	}
}

func TestIsPartial(t *testing.T) {
	b := build(t, "archive")
	commit := b.commit("subject", object.Checksum{})
	r := b.open()
	if r.IsPartial(commit) {
		t.Error("whole, and said to be partial")
	}
	b.write("state/"+commit.String()+".commitpartial", []byte("f"))
	if !r.IsPartial(commit) {
		t.Error("partial, and said to be whole")
	}
}

// TestCommits lists each commit once, sorted, and nothing else.
func TestCommits(t *testing.T) {
	list := chain(t, "archive", "archive")
	for i := range 20 {
		for _, b := range list {
			b.commit(strings.Repeat("s", i), object.Checksum{})
		}
	}
	b := list[0]
	b.write("objects/00/short.commit", nil)
	b.write("objects/00/"+strings.Repeat("A", 62)+".commit", nil)
	b.write("objects/junk/"+strings.Repeat("a", 62)+".commit", nil)
	commits, err := b.open().Commits()
	if err != nil || len(commits) != 20 {
		t.Fatalf("%d commits, %v", len(commits), err)
	}
	for i := 1; i < len(commits); i++ {
		if commits[i-1].String() >= commits[i].String() {
			t.Errorf("%s stands before %s", commits[i-1], commits[i])
		}
	}
}
