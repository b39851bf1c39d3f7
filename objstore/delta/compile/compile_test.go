package compile

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/delta"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/sign"
)

// defaults are options with ostree's limits, but that nothing is left out.
func defaults(change func(o *Options)) Options {
	o := Options{Limits: DefaultLimits}
	o.Limits.Fallback = 0
	if change != nil {
		change(&o)
	}
	return o
}

// counts is what is in a delta.
type counts struct{ patches, sources, splices, parts, fallbacks int }

// count opens a delta and counts.
func count(t *testing.T, repo *objstore.Repo, path string) (c counts, s *delta.Superblock) {
	t.Helper()
	file, err := delta.Open(repo, path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if s, err = delta.Parse(bytes.Clone(file.Bytes())); err != nil {
		t.Fatal(err)
	}
	for i := range s.Parts {
		stats, err := file.Stats(s, i)
		if err != nil {
			t.Fatal(err)
		}
		c.patches += stats.Patches
		c.sources += stats.SetSources
		c.splices += stats.Splices
	}
	c.parts, c.fallbacks = len(s.Parts), len(s.Fallbacks)
	return c, s
}

// TestRun makes deltas in every way and applies them.
func TestRun(t *testing.T) {
	old, new := trees()
	repo := newRepo(t, objstore.Archive)
	from, to := commit(t, repo, old), commit(t, repo, new)
	dest := newRepo(t, objstore.Bare)
	commit(t, dest, old)
	for _, c := range []struct {
		name string
		from object.Checksum
		o    Options
		want counts
	}{
		{"patches", from, defaults(nil), counts{patches: 4, sources: 4, splices: 9, parts: 1}},
		{"chunks", from, defaults(func(o *Options) { o.NoBsdiff = true }), counts{sources: 5, splices: 10, parts: 1}},
		{"chunks of what is large", from, defaults(func(o *Options) { o.Limits.Bsdiff = 50_000 }), counts{patches: 2, sources: 6, splices: 9, parts: 1}},
		{"in one file", from, defaults(func(o *Options) { o.Inline = true; o.Big = true }), counts{patches: 4, sources: 4, splices: 9, parts: 1}},
		{"from nothing", object.Checksum{}, defaults(nil), counts{splices: 15, parts: 1}},
		{"many parts", from, defaults(func(o *Options) { o.Limits.Chunk = 3000 }), counts{patches: 4, sources: 4, splices: 9, parts: 9}},
		{"a part each", object.Checksum{}, defaults(func(o *Options) { o.Limits.Chunk = 0 }), counts{splices: 15, parts: 15}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := Run(t.Context(), repo, c.from, to, c.o); err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(repo.Path(), objstore.Delta{From: c.from, To: to}.Path())
			got, s := count(t, repo, dir)
			if got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			if s.Order.Big != c.o.Big {
				t.Errorf("sizes are in order %v", s.Order)
			}
			apply(t, dest, dir, to, new)
		})
	}
	clean(t, repo)
}

// apply applies a delta to a copy of a repository that has the old tree, and looks at the new one.
func apply(t *testing.T, base *objstore.Repo, path string, to object.Checksum, want tree) {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "repo")
	if err := os.CopyFS(copied, os.DirFS(base.Path())); err != nil {
		t.Fatal(err)
	}
	repo, err := objstore.Open(copied)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	repo.DisableFsync()
	if err := delta.ApplyOffline(t.Context(), repo, path, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := repo.Commit(to); err != nil {
		t.Error(err)
	}
	if again := commit(t, repo, want); again != to {
		t.Errorf("the tree is the one of %s", again)
	}
}

// clean fails where temporary files are left.
func clean(t *testing.T, repo *objstore.Repo) {
	t.Helper()
	if left, _ := filepath.Glob(repo.Path() + "/tmp/deployfs-*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestRunFallback leaves out what is large and resembles nothing.
func TestRunFallback(t *testing.T) {
	old, new := trees()
	repo := newRepo(t, objstore.BareUser)
	from, to := commit(t, repo, old), commit(t, repo, new)
	var log strings.Builder
	o := defaults(func(o *Options) { o.Limits.Fallback = 4000; o.Log = &log })
	if err := Run(t.Context(), repo, from, to, o); err != nil {
		t.Fatal(err)
	}
	got, s := count(t, repo, filepath.Join(repo.Path(), objstore.Delta{From: from, To: to}.Path()))
	if want := (counts{patches: 4, sources: 4, splices: 8, parts: 1, fallbacks: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if f := s.Fallbacks[0]; f.Usize != 5000 || f.Size != 5000 || !strings.Contains(log.String(), "fallback for "+f.Object.Checksum.String()+" (5.0") {
		t.Errorf("%+v\n%s", f, &log)
	}
}

// TestRunFile writes a delta beside the repository, signed and with more metadata, and then
// another one in its place.
func TestRunFile(t *testing.T) {
	t.Setenv("OSTREE_DUMMY_SIGN_ENABLED", "1")
	old, new := trees()
	repo := newRepo(t, objstore.Bare)
	from, to := commit(t, repo, old), commit(t, repo, new)
	dir := t.TempDir()
	o := defaults(func(o *Options) {
		o.Filename = filepath.Join(dir, "update.delta")
		o.Metadata = gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString("first"), gvariant.NewVariant(gvariant.NewByte(1))))
		signer, err := sign.NewSigner("dummy", "key")
		if err != nil {
			t.Fatal(err)
		}
		o.Signers = []sign.Signer{signer}
	})
	for _, inline := range []bool{false, true} {
		o.Inline = inline
		if err := Run(t.Context(), repo, from, to, o); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(o.Filename)
		if err != nil {
			t.Fatal(err)
		}
		if _, signatures, ok := delta.Signed(data); !ok || signatures.At(0).At(0).Str() != "ostree.sign.dummy" {
			t.Error("it is not signed")
		}
		if _, s := count(t, repo, o.Filename); s.Metadata.At(0).At(0).Str() != "first" {
			t.Errorf("it begins with %s", s.Metadata.At(0).At(0).Str())
		}
	}
	if files, _ := filepath.Glob(dir + "/{.*,*}"); len(files) > 0 {
		t.Errorf("left: %v", files)
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 { // and the part of before
		t.Errorf("files %v", left)
	}
	if err := Run(t.Context(), repo, from, to, defaults(func(o *Options) { o.Filename = dir + "/no/x" })); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

// TestRunAgain replaces a delta as a whole, and leaves it alone where another can't be made.
func TestRunAgain(t *testing.T) {
	old, new := trees()
	repo := newRepo(t, objstore.Archive)
	from, to := commit(t, repo, old), commit(t, repo, new)
	d := objstore.Delta{From: from, To: to}
	dir := filepath.Join(repo.Path(), d.Path())
	names := func() (list []string) {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			list = append(list, e.Name())
		}
		return list
	}
	run := func(ctx context.Context, o Options) error { return Run(ctx, repo, from, to, o) }
	if err := run(t.Context(), defaults(nil)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names(), " "); got != "0 superblock" {
		t.Errorf("files %s", got)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(cancelled, defaults(nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := run(t.Context(), defaults(func(o *Options) { o.Inline = true })); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names(), " "); got != "superblock" {
		t.Errorf("files %s", got)
	}
	before, _ := os.ReadFile(dir + "/superblock")
	spoil(t, repo, to, "fresh")
	for _, o := range []Options{defaults(nil), defaults(func(o *Options) { o.Limits.Chunk = 0 })} {
		if damage := (*object.CorruptError)(nil); !errors.As(run(t.Context(), o), &damage) {
			t.Error("a damaged object is packed")
		}
	}
	if after, _ := os.ReadFile(dir + "/superblock"); !bytes.Equal(before, after) {
		t.Error("the delta is another one")
	}
	clean(t, repo)
}

// spoil damages the content of a file.
func spoil(t *testing.T, repo *objstore.Repo, to object.Checksum, name string) {
	t.Helper()
	c, err := repo.Commit(to)
	if err != nil {
		t.Fatal(err)
	}
	root, err := repo.DirTree(c.Root)
	if err != nil {
		t.Fatal(err)
	}
	i, _ := root.FindFile([]byte(name))
	_, sum := root.File(i)
	_, path := repo.ObjectFile(fileName(sum))
	file := filepath.Join(repo.Path(), "objects", path)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-100]++
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestRunSame makes a delta where nothing is new: one part without objects.
func TestRunSame(t *testing.T) {
	old, _ := trees()
	repo := newRepo(t, objstore.Archive)
	to := commit(t, repo, old)
	if err := Run(t.Context(), repo, to, to, defaults(nil)); err != nil {
		t.Fatal(err)
	}
	got, s := count(t, repo, filepath.Join(repo.Path(), objstore.Delta{From: to, To: to}.Path()))
	if got != (counts{parts: 1}) || len(s.Parts[0].Objects) != 0 {
		t.Errorf("%+v", got)
	}
}
