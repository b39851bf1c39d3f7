package publish

import (
	"context"
	"path/filepath"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/sign"
	"deployfs/objstore/summary"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, collection string) *objstore.Repo {
	t.Helper()
	repo, err := objstore.Create(filepath.Join(t.TempDir(), "repo"), objstore.Setup{Mode: objstore.Archive, Collection: collection})
	check(t, err)
	t.Cleanup(func() { repo.Close() })
	return repo
}

func read(t *testing.T, repo *objstore.Repo) *summary.Summary {
	t.Helper()
	s, err := summary.Read(repo)
	check(t, err)
	return s
}

// text is a signer whose signature is itself.
type text string

func (text) Scheme() string { return "text" }

func (s text) Sign(context.Context, []byte) ([]byte, error) { return []byte(s), nil }

func TestRun(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	repo := create(t, "org.example.Own")
	o := Options{
		Metadata: []gvariant.Value{newEntry("k", gvariant.NewByte(7)), newEntry("ostree.ref-binding", gvariant.NewByte(7))},
		Signers:  []sign.Signer{text("one"), text("two")},
	}
	check(t, Run(t.Context(), repo, o))
	first, err := repo.Resolve("ostree-metadata")
	check(t, err)
	check(t, Run(t.Context(), repo, o))
	ref, ok := read(t, repo).Refs().Lookup("ostree-metadata")
	if !ok || ref.Commit == first {
		t.Fatalf("%+v, %v", ref, ok)
	}
	commit, err := repo.Commit(ref.Commit)
	check(t, err)
	want := "{'ostree.collection-binding': <'org.example.Own'>, 'ostree.ref-binding': <['ostree-metadata']>, 'k': <byte 0x07>}"
	if got := gvariant.Print(commit.Metadata, true, false); got != want || commit.Parent != first || commit.Timestamp != 1700000000 {
		t.Errorf("%s, parent %s, at %d", got, commit.Parent, commit.Timestamp)
	}
	root, err := repo.DirMeta(commit.RootMeta)
	check(t, err)
	tree, err := repo.DirTree(commit.Root)
	check(t, err)
	if root.Mode != object.ModeDir|0o755 || tree.NumFiles() != 0 || tree.NumDirs() != 0 {
		t.Errorf("root %o, %d files, %d directories", root.Mode, tree.NumFiles(), tree.NumDirs())
	}
	detached, ok, err := repo.CommitMeta(ref.Commit)
	check(t, err)
	signature, err := repo.ReadFile("summary.sig", 1000)
	check(t, err)
	sig, err := gvariant.Parse("a{sv}", signature)
	check(t, err)
	for _, v := range []gvariant.Value{detached, sig} {
		if got := gvariant.Print(v, true, false); !ok || got != "{'ostree.sign.text': <[b'one', b'two']>}" && got != "{'ostree.sign.text': <[[byte 0x6f, 0x6e, 0x65], [0x74, 0x77, 0x6f]]>}" {
			t.Error(got)
		}
	}
}

// TestRunPlain: without a collection there is no commit.
func TestRunPlain(t *testing.T) {
	repo := create(t, "")
	check(t, Run(t.Context(), repo, Options{Metadata: []gvariant.Value{newEntry("", gvariant.NewByte(1))}}))
	if s := read(t, repo); s.Refs().Len() != 0 || s.Metadata().Len() != 5 {
		t.Error(gvariant.Print(s.Value(), true, false))
	}
}

func TestRunRefused(t *testing.T) {
	repo := create(t, "org.example.Own")
	if err := Run(t.Context(), repo, Options{Metadata: []gvariant.Value{newEntry("", gvariant.NewByte(1))}}); err == nil {
		t.Error("metadata without a key is in a commit")
	}
	t.Setenv("SOURCE_DATE_EPOCH", "soon")
	if err := Run(t.Context(), repo, Options{}); err == nil {
		t.Error("a time that is none")
	}
	if refs, err := repo.Refs(); err != nil || len(refs) > 0 {
		t.Error(refs, err)
	}
}
