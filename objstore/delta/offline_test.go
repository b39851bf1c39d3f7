package delta

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// lay puts a delta into a directory.
func lay(t *testing.T, superblock []byte, parts ...*forged) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string][]byte{superblockName: superblock}
	for i, f := range parts {
		files[strconv.Itoa(i)] = f.file()
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// trees makes the tree and the directory that newBlock's commit has.
func trees() *forged {
	f := newForged().makes(treeName, dirName)
	at, n := f.data(emptyTree)
	f.op(OpSplice, n, at)
	at, n = f.data(emptyDir)
	return f.op(OpSplice, n, at)
}

func hasCommit(t *testing.T, repo *objstore.Repo, b *block) bool {
	t.Helper()
	_, err := repo.Commit(object.Checksum(b.to))
	return err == nil
}

func TestApplyOffline(t *testing.T) {
	b := newBlock()
	meta := gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString("k"), gvariant.NewVariant(gvariant.NewByte(1))))
	b.key(objstore.Delta{To: object.Checksum(b.to)}.Path()+"/commitmeta", meta)
	data := b.add(trees()).bytes(t)
	for _, fsync := range []string{"true", "false"} {
		repo := newRepo(t, objstore.Archive)
		repo.Override("core", "fsync", fsync)
		for range 2 { // the second time, all is there
			if err := ApplyOffline(t.Context(), repo, lay(t, data, trees()), nil); err != nil {
				t.Fatal(err)
			}
		}
		got, ok, err := repo.CommitMeta(object.Checksum(b.to))
		if !hasCommit(t, repo, b) || !ok || !bytes.Equal(got.Bytes(), meta.Bytes()) {
			t.Errorf("fsync=%s: commit %v, detached metadata %v, %v", fsync, hasCommit(t, repo, b), ok, err)
		}
	}
}

// TestBadDelta: what is wrong with a whole delta leaves no commit, however it is written.
func TestBadDelta(t *testing.T) {
	from := bytes.Repeat([]byte{0xab}, 32)
	for want, c := range map[string]struct {
		spoil func(b *block)
		parts []*forged
	}{
		"Opening deltapart '0': No such file or directory":                  {func(b *block) { b.add(trees()) }, nil},
		"Executing delta part 0: Checksum mismatch in static delta part":    {func(b *block) { b.add(trees()) }, []*forged{newForged()}},
		"Executing delta part 1: Unknown opcode 0 at offset 0":              {func(b *block) { b.add(trees()).add(newForged().op(0).makes(regular(t, ""))) }, []*forged{trees(), newForged().op(0)}},
		"Delta part has too new version 1":                                  {func(b *block) { b.part(1, from, 0, 0, nil) }, []*forged{newForged()}},
		"needs " + dirName.String() + ", which is neither in the delta nor": {func(*block) {}, nil},
		"Commit abababab": {func(b *block) { b.from = from }, nil},
		"Cannot execute delta offline: contains nonempty http fallback entries":                {func(b *block) { b.fallbacks = append(b.fallbacks, fallback(treeName)) }, nil},
		"superblock: gvariant of type":                                                         {func(b *block) { b.key("\x00", gvariant.NewByte(0)) }, nil},
		"Corrupted commit object; checksum expected='" + strings.Repeat("ab", 32) + "' actual": {func(b *block) { b.to = from }, nil},
	} {
		for _, fsync := range []string{"true", "false"} {
			b := newBlock()
			c.spoil(b)
			repo := newRepo(t, objstore.Archive)
			repo.Override("core", "fsync", fsync)
			if err := ApplyOffline(t.Context(), repo, lay(t, b.bytes(t), c.parts...), nil); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
			if commits, _ := repo.Commits(); len(commits) > 0 {
				t.Errorf("%s: commits %v", want, commits)
			}
		}
	}
}

// TestDoubtful: a directory that is there is no proof of what it holds where some commit is partial.
func TestDoubtful(t *testing.T) {
	repo := newRepo(t, objstore.Archive)
	root := object.EncodeDirTree([]object.File{{Name: "absent", Content: regular(t, "absent").Checksum}}, nil)
	c := object.Commit{Metadata: gvariant.NewArray("{sv}"), Root: metadata(object.KindDirTree, root).Checksum, RootMeta: dirName.Checksum}
	tr := begin(t, repo)
	for kind, data := range map[object.Kind][]byte{object.KindDirTree: root, object.KindDirMeta: emptyDir} {
		if _, err := tr.WriteMetadata(kind, data); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(tr.SetPartial(object.Checksum{1}, true), tr.Commit(t.Context()), tr.Close()); err != nil {
		t.Fatal(err)
	}
	b := newBlock()
	b.commit = c.Encode()
	to := metadata(object.KindCommit, b.commit).Checksum
	b.to = to[:]
	err := ApplyOffline(t.Context(), repo, lay(t, b.bytes(t)), nil)
	if err == nil || !strings.Contains(err.Error(), regular(t, "absent").String()) || hasCommit(t, repo, b) {
		t.Error(err)
	}
}

func fallback(name object.Name) gvariant.Value {
	return gvariant.NewTuple(gvariant.NewByte(byte(name.Kind)), gvariant.NewBytes(name.Checksum[:]), gvariant.NewUint64(0), gvariant.NewUint64(0))
}

// TestJudge: who asks for a signature gets one, or no commit.
func TestJudge(t *testing.T) {
	plain := newBlock().add(trees()).bytes(t)
	secret := signed(plain, "dummy", []byte("secret"))
	bad := errors.New("bad")
	var judged []byte
	takes := func(superblock []byte, _ gvariant.Value) error { judged = bytes.Clone(superblock); return nil }
	refuses := func([]byte, gvariant.Value) error { return bad }
	for _, c := range []struct {
		data     []byte
		required string
		verify   func([]byte, gvariant.Value) error
		want     error
	}{
		{plain, "false", nil, nil}, {secret, "false", nil, nil}, {plain, "true", nil, errNoKey}, {secret, "true", nil, errNoKey},
		{plain, "false", takes, nil}, {secret, "false", takes, nil}, {plain, "true", takes, errUnsigned}, {secret, "true", takes, nil},
		{plain, "false", refuses, bad}, {secret, "true", refuses, bad},
	} {
		repo := newRepo(t, objstore.Archive)
		repo.Override("core", "sign-verify-deltas", c.required)
		judged = nil
		err := ApplyOffline(t.Context(), repo, lay(t, c.data, trees()), c.verify)
		if !errors.Is(err, c.want) || hasCommit(t, repo, newBlock()) != (c.want == nil) {
			t.Errorf("%+v: %v", c, err)
		}
		if judged != nil && !bytes.Equal(judged, plain) {
			t.Errorf("%d bytes were judged", len(judged))
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	repo := newRepo(t, objstore.Archive)
	if err := ApplyOffline(ctx, repo, lay(t, newBlock().add(trees()).bytes(t), trees()), nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestFind: what a delta can be called, and what is said of what is none.
func TestFind(t *testing.T) {
	repo := newRepo(t, objstore.Archive)
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 64)
	for id, want := range map[string]string{
		"x": "Invalid rev x", a + "-x": "Invalid rev x", "x-" + a: "Invalid rev x", a + "-" + b + "-" + a: "Invalid rev " + b, "": "Invalid rev ", strings.Repeat("0", 64): "openat(deltas/AA/",
		b: "openat(deltas/u7/", "nope/x": "openat(nope/x): No such file or directory", "/tmp/": "openat(/tmp/): not a regular file",
	} {
		if _, err := Find(repo, id); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", id, err, want)
		}
	}
}
