package summary

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// builder writes a repository by hand.
type builder struct {
	testing.TB
	repo *objstore.Repo
}

func build(t testing.TB, collection string) builder {
	t.Helper()
	repo, err := objstore.Create(filepath.Join(t.TempDir(), "repo"), objstore.Setup{Mode: objstore.Archive, Collection: collection})
	check(t, err)
	t.Cleanup(func() { repo.Close() })
	return builder{t, repo}
}

func (b builder) file(path string) string { return filepath.Join(b.repo.Path(), path) }

func (b builder) write(path string, data []byte) {
	b.Helper()
	check(b, os.MkdirAll(filepath.Dir(b.file(path)), 0o755))
	check(b, os.WriteFile(b.file(path), data, 0o644))
}

// commit writes a commit, whose tree is not there, and refs to it.
func (b builder) commit(timestamp uint64, metadata []gvariant.Value, names ...refs.Name) (object.Checksum, int) {
	b.Helper()
	c := object.Commit{Metadata: gvariant.NewArray("{sv}", metadata...), Timestamp: timestamp, Root: object.Checksum{1}, RootMeta: object.Checksum{1}}
	data := c.Encode()
	sum := object.Checksum(sha256.Sum256(data))
	_, path := b.repo.ObjectFile(object.Name{Checksum: sum, Kind: object.KindCommit})
	b.write("objects/"+path, data)
	for _, name := range names {
		check(b, b.repo.SetRef(name, sum))
	}
	return sum, len(data)
}

func (b builder) read() *Summary {
	b.Helper()
	s, err := Read(b.repo)
	check(b, err)
	return s
}

func names(list Refs) (all []string) {
	for i := range list.Len() {
		all = append(all, list.At(i).Name)
	}
	return all
}

func keys(dict gvariant.Value) (all []string) {
	for i := range dict.Len() {
		all = append(all, dict.At(i).At(0).Str())
	}
	return all
}

func want[T any](t *testing.T, what string, got, want []T, equal func(a, b []T) bool) {
	t.Helper()
	if !equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestUpdate(t *testing.T) {
	b := build(t, "")
	version := []gvariant.Value{newEntry("version", gvariant.NewString("1.0"))}
	sum, size := b.commit(1700000000, version, refs.Name{Ref: "os/main"}, refs.Name{Ref: "a-b"}, refs.Name{Ref: "a/b"},
		refs.Name{Remote: "origin", Ref: "left-out"})
	b.commit(1<<63, nil, refs.Name{Ref: "late"})
	check(t, b.repo.SetAlias(refs.Name{Ref: "alias"}, refs.Name{Ref: "late"}))
	b.write("summary.sig", nil)
	before := uint64(time.Now().Unix())
	check(t, Update(t.Context(), b.repo, nil))
	s := b.read()
	want(t, "refs", names(s.Refs()), []string{"a-b", "a/b", "alias", "late", "os/main"}, slices.Equal)
	want(t, "keys", keys(s.Metadata()), []string{keyMode, keyLastModified, keyTombstones, keyIndexedDeltas}, slices.Equal)
	ref, ok := s.Refs().Lookup("os/main")
	if at, dated := ref.Timestamp(); !ok || ref.Commit != sum || ref.Size != uint64(size) || at != 1700000000 || !dated || ref.Version() != "1.0" {
		t.Errorf("%+v, %v", ref, ok)
	}
	if late, _ := s.Refs().Lookup("late"); late.Metadata.Len() != 0 {
		t.Errorf("late: %v", late.Metadata)
	}
	if at, ok := s.LastModified(); !ok || at < before || at > before+60 {
		t.Errorf("last modified %d", at)
	}
	if s.Mode() != "archive-z2" || s.Tombstones() || !s.IndexedDeltas() || s.Collection() != "" {
		t.Error(gvariant.Print(s.Metadata(), true, false))
	}
	if _, err := os.Stat(b.file("summary.sig")); !errors.Is(err, os.ErrNotExist) {
		t.Error("the old signature is there:", err)
	}
	if st, err := os.Stat(b.file("summary")); err != nil || st.Mode() != 0o644 {
		t.Error(st, err)
	}
	if text, _ := b.repo.Config().Get("core", "indexed-deltas"); text != "true" {
		t.Errorf("indexed-deltas %q", text)
	}
}

func TestCollections(t *testing.T) {
	const own, other, third = "org.example.Own", "org.example.Other", "org.example.Third"
	b := build(t, own)
	config, err := os.ReadFile(b.file("config"))
	check(t, err)
	config = append(config, "[remote \"origin\"]\ncollection-id="+third+"\n[remote \"plain\"]\nurl=x\n"...)
	check(t, b.repo.WriteConfig(config))
	b.commit(1, nil, refs.Name{Ref: "main"}, refs.Name{Collection: other, Ref: "z"}, refs.Name{Collection: other, Ref: "a"},
		refs.Name{Remote: "origin", Ref: "main"}, refs.Name{Remote: "plain", Ref: "main"})
	check(t, Update(t.Context(), b.repo, nil))
	s := b.read()
	if s.Collection() != own {
		t.Error(s.Collection())
	}
	want(t, "own refs", names(s.Refs()), []string{"main"}, slices.Equal)
	var ids []string
	for id, list := range s.Collections() {
		ids = append(ids, id+" "+strings.Join(names(list), " "))
	}
	want(t, "collections", ids, []string{other + " a z", third + " main"}, slices.Equal)
	want(t, "keys", keys(s.Metadata()),
		[]string{keyMode, keyLastModified, keyTombstones, keyCollections, keyIndexedDeltas, keyCollection}, slices.Equal)
}

// TestExtra: the last of equal keys counts, and the repository's own count most.
func TestExtra(t *testing.T) {
	b := build(t, "")
	one, two := gvariant.NewUint32(1), gvariant.NewUint32(2)
	extra := []gvariant.Value{newEntry("k", one), newEntry(keyMode, one), newEntry(keyExpires, newSwapped(5)), newEntry("k", two)}
	check(t, Update(t.Context(), b.repo, extra))
	s := b.read()
	k, _ := s.Metadata().Lookup("k")
	expires, ok := s.Expires()
	if k.Uint32() != 2 || s.Mode() != "archive-z2" || expires != 5 || !ok || s.Metadata().Len() != 6 {
		t.Error(gvariant.Print(s.Metadata(), true, false))
	}
	bad := []gvariant.Value{newEntry(keyCollection, gvariant.NewString("bad"))}
	if err := Update(t.Context(), b.repo, bad); err == nil {
		t.Error("a summary that can't be read was written")
	}
}

func TestDeltas(t *testing.T) {
	b := build(t, "")
	one, two := objstore.Delta{To: object.Checksum{0xff}}, objstore.Delta{From: object.Checksum{0xff}, To: object.Checksum{2}}
	stale := objstore.Delta{To: object.Checksum{3}}
	b.write(one.Path()+"/superblock", []byte("one"))
	b.write(two.Path()+"/superblock", []byte("two"))
	b.write(stale.IndexPath(), []byte("stale"))
	check(t, Update(t.Context(), b.repo, nil))
	found := map[objstore.Delta]object.Checksum{}
	for d, digest := range b.read().Deltas() {
		found[d] = digest
	}
	if len(found) != 2 || found[one] != sha256.Sum256([]byte("one")) || found[two] != sha256.Sum256([]byte("two")) {
		t.Error(found)
	}
	if _, err := os.Stat(b.file(stale.IndexPath())); !errors.Is(err, os.ErrNotExist) {
		t.Error("a stale index is there:", err)
	}
	data, err := os.ReadFile(b.file(two.IndexPath()))
	check(t, err)
	index, err := gvariant.Parse(dictType, data)
	check(t, err)
	if list, _ := index.Lookup(keyDeltas); list.Len() != 1 || list.At(0).At(0).Str() != two.String() {
		t.Error(gvariant.Print(index, true, false))
	}
	config, err := os.ReadFile(b.file("config"))
	check(t, err)
	check(t, b.repo.WriteConfig(append(config, "no-deltas-in-summary=true\n"...)))
	check(t, Update(t.Context(), b.repo, nil))
	for d := range b.read().Deltas() {
		t.Error(d, "is in the summary")
	}
}

func TestSigned(t *testing.T) {
	b := build(t, "")
	signature := gvariant.NewArray("{sv}", newEntry("ostree.sign.dummy", gvariant.NewArray("ay", gvariant.NewBytes([]byte("key")))))
	var signed []byte
	check(t, UpdateSigned(t.Context(), b.repo, nil, func(data []byte) (gvariant.Value, error) {
		signed = data
		return signature, nil
	}))
	data, err := os.ReadFile(b.file("summary"))
	check(t, err)
	sig, err := os.ReadFile(b.file("summary.sig"))
	check(t, err)
	if !bytes.Equal(data, signed) || !bytes.Equal(sig, signature.Bytes()) {
		t.Errorf("summary %x, signature %x", data, sig)
	}
	one, err := os.Stat(b.file("summary"))
	check(t, err)
	two, err := os.Stat(b.file("summary.sig"))
	check(t, err)
	if !one.ModTime().Equal(two.ModTime()) {
		t.Error(one.ModTime(), two.ModTime())
	}
	failed := errors.New("no key")
	b.commit(1, nil, refs.Name{Ref: "new"})
	err = UpdateSigned(t.Context(), b.repo, nil, func([]byte) (gvariant.Value, error) { return gvariant.Value{}, failed })
	if again, _ := os.ReadFile(b.file("summary")); !errors.Is(err, failed) || !bytes.Equal(again, data) {
		t.Error("the summary was changed without a signature:", err)
	}
	left, err := filepath.Glob(b.file("tmp/deployfs-*"))
	if err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

// TestUpdateTimes: whoever asks for what is newer than the last summary, in seconds, gets it.
func TestUpdateTimes(t *testing.T) {
	b := build(t, "")
	sign := func([]byte) (gvariant.Value, error) { return gvariant.NewArray("{sv}"), nil }
	var last time.Time
	for _, signer := range []Signer{nil, nil, sign, sign, nil} {
		check(t, UpdateSigned(t.Context(), b.repo, nil, signer))
		info, err := os.Stat(b.file("summary"))
		check(t, err)
		if at := info.ModTime(); at.Unix() <= last.Unix() {
			t.Errorf("%s follows %s", at, last)
		}
		last = info.ModTime()
	}
}

// TestUpdateRefused: a summary that lists what is not there would be a lie.
func TestUpdateRefused(t *testing.T) {
	b := build(t, "")
	sum := object.Checksum{7}
	check(t, b.repo.SetRef(refs.Name{Ref: "main"}, sum))
	err := Update(t.Context(), b.repo, nil)
	if err == nil || err.Error() != "No such metadata object "+sum.String()+".commit" {
		t.Error(err)
	}
	b.write("refs/heads/main", []byte("junk\n"))
	if err := Update(t.Context(), b.repo, nil); err == nil || err.Error() != "Invalid rev junk" {
		t.Error(err)
	}
	if _, err := os.Stat(b.file("summary")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
