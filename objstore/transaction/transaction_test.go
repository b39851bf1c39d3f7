package transaction

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

func newRepo(t *testing.T, mode objstore.Mode, config string) *objstore.Repo {
	t.Helper()
	path := filepath.Join(t.TempDir(), "repo")
	r, err := objstore.Create(path, objstore.Setup{Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	if config != "" {
		if err := r.WriteConfig([]byte("[core]\nrepo_version=1\nmode=" + mode.String() + "\n" + config)); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func begin(t *testing.T, r *objstore.Repo) *Transaction {
	t.Helper()
	tx, err := Begin(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

var modes = []objstore.Mode{objstore.Bare, objstore.BareUser, objstore.BareUserOnly, objstore.Archive}

// samples are contents of every kind: nothing, little, much.
func samples() map[string][]byte {
	return map[string][]byte{"empty": {}, "small": []byte("hello\n"), "large": bytes.Repeat([]byte("0123456789abcdef"), 40000)}
}

// put writes one commit with every sample in its tree, and a ref to it.
func put(t *testing.T, tx *Transaction, ref string) object.Checksum {
	t.Helper()
	var files []object.File
	for _, name := range []string{"empty", "large", "small"} {
		data := samples()[name]
		h := object.Header{Mode: object.ModeRegular | 0o755, Size: uint64(len(data))}
		sum, err := tx.WriteContent(h, bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, object.File{Name: name, Content: sum})
	}
	link, err := tx.WriteContent(object.Header{Mode: object.ModeSymlink | 0o777, Target: "small"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, object.File{Name: "zlink", Content: link})
	write := func(kind object.Kind, data []byte) object.Checksum {
		sum, err := tx.WriteMetadata(kind, data)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	commit := object.Commit{Metadata: gvariant.NewArray("{sv}"), Subject: "s", Timestamp: 1700000000}
	commit.RootMeta = write(object.KindDirMeta, object.DirMeta{Mode: object.ModeDir | 0o755}.Encode())
	commit.Root = write(object.KindDirTree, object.EncodeDirTree(files, nil))
	sum := write(object.KindCommit, commit.Encode())
	tx.SetRef(refs.Name{Ref: ref}, sum)
	return sum
}

// TestCommit: what was written is there afterwards, and nothing of it before.
func TestCommit(t *testing.T) {
	for _, mode := range modes {
		for _, config := range []string{"", "fsync=false\n", "per-object-fsync=true\n"} {
			r := newRepo(t, mode, config)
			tx := begin(t, r)
			sum := put(t, tx, "main")
			if _, err := r.Resolve("main"); err == nil {
				t.Error("the ref is there before the end")
			}
			if _, err := r.Commit(sum); err == nil != tx.direct {
				t.Errorf("the commit before the end: %v", err)
			}
			if err := tx.Commit(context.Background()); err != nil {
				t.Fatal(mode, config, err)
			}
			want := Stats{Metadata: 3, MetadataWritten: 3, Content: 4, ContentWritten: 4, BytesWritten: 640000 + 6}
			if got := tx.Stats(); got != want {
				t.Errorf("%s: %+v, want %+v", mode, got, want)
			}
			if err := tx.Close(); err != nil {
				t.Fatal(err)
			}
			check(t, r, sum)
			if left, _ := filepath.Glob(r.Path() + "/tmp/*"); len(left) != 1 { // cache
				t.Errorf("left in tmp: %q", left)
			}
		}
	}
}

// check reads the commit that put has made.
func check(t *testing.T, r *objstore.Repo, sum object.Checksum) {
	t.Helper()
	if found, err := r.Resolve("main"); err != nil || found != sum {
		t.Fatalf("main is %s, %v, want %s", found, err, sum)
	}
	commit, err := r.Commit(sum)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := r.DirTree(commit.Root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.DirMeta(commit.RootMeta); err != nil {
		t.Fatal(err)
	}
	for i := range dir.NumFiles() {
		name, content := dir.File(i)
		c, err := r.Content(content)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := c.Verify(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		c.Close()
	}
}

// TestSame: in every mode an object has the same checksum, and a second one like it is not written.
func TestSame(t *testing.T) {
	var first object.Checksum
	for i, mode := range modes {
		r := newRepo(t, mode, "")
		tx := begin(t, r)
		sum := put(t, tx, "main")
		if i == 0 {
			first = sum
		}
		again := put(t, tx, "main")
		if sum != first || again != first {
			t.Errorf("%s: commits %s and %s, want %s", mode, sum, again, first)
		}
		if s := tx.Stats(); s.ContentWritten != 4 || s.MetadataWritten != 3 {
			t.Errorf("%s: %+v", mode, s)
		}
		tx.Close()
	}
}

// TestResume: what was staged and not committed is found by the next transaction.
func TestResume(t *testing.T) {
	r := newRepo(t, objstore.BareUser, "")
	tx := begin(t, r)
	put(t, tx, "main")
	tx.Close()
	if _, err := r.Resolve("main"); err == nil {
		t.Fatal("an aborted transaction has moved a ref")
	}
	tx = begin(t, r)
	defer tx.Close()
	sum := put(t, tx, "main")
	if s := tx.Stats(); s.ContentWritten+s.MetadataWritten > 0 {
		t.Errorf("written again: %+v", s)
	}
	if err := tx.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	check(t, r, sum)
}

// TestNothingStaged: a transaction that has staged nothing leaves nothing.
func TestNothingStaged(t *testing.T) {
	r := newRepo(t, objstore.Bare, "")
	if err := begin(t, r).Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(r.Path() + "/tmp/" + stagePrefix + "*"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// TestFresh: a staging directory that somebody has just made is not taken from under his
// hands; later it is.
func TestFresh(t *testing.T) {
	r := newRepo(t, objstore.Bare, "")
	id, err := bootID()
	if err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(r.Path(), "tmp", stagePrefix+id+"-fresh0")
	if err := os.Mkdir(fresh, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, locked := range []bool{false, true} {
		tx := begin(t, r)
		if took := tx.stage.name == filepath.Base(fresh); took != locked {
			t.Errorf("taken over: %v, want %v", took, locked)
		}
		if err := errors.Join(tx.stage.remove(), tx.Close()); err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(fresh+lockSuffix, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOtherBoot: what another boot has left is deleted, what is in use is not.
func TestOtherBoot(t *testing.T) {
	r := newRepo(t, objstore.Bare, "tmp-expiry-secs=100\n")
	t.Setenv("OSTREE_BOOTID", "used")
	used := begin(t, r)
	defer used.Close()
	t.Setenv("OSTREE_BOOTID", "other")
	tx := begin(t, r)
	put(t, tx, "other")
	tx.Close()
	old, young := r.Path()+"/tmp/old", r.Path()+"/tmp/young"
	for _, dir := range []string{old, young} {
		if err := os.MkdirAll(dir+"/sub", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	past := unix.Timeval{Sec: 1000}
	if err := unix.Utimes(old, []unix.Timeval{past, past}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OSTREE_BOOTID", "this")
	tx = begin(t, r)
	sum := put(t, tx, "main")
	if err := tx.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	tx.Close()
	check(t, r, sum)
	left, _ := filepath.Glob(r.Path() + "/tmp/*")
	if text := strings.Join(left, " "); strings.Contains(text, "other") || strings.Contains(text, "old") ||
		!strings.Contains(text, "staging-used") || !strings.Contains(text, "young") {
		t.Errorf("left in tmp: %s", text)
	}
}

// TestRefuses: nothing wrong is written.
func TestRefuses(t *testing.T) {
	regular := func(mode uint32, size uint64) object.Header {
		return object.Header{Mode: object.ModeRegular | mode, Size: size}
	}
	for what, c := range map[string]struct {
		mode   objstore.Mode
		config string
		h      object.Header
		data   string
		want   string
	}{
		"short":        {objstore.Archive, "", regular(0o644, 6), "hello", ErrChanged.Error()},
		"long":         {objstore.Archive, "", regular(0o644, 4), "hello", ErrChanged.Error()},
		"short stream": {objstore.Bare, "", regular(0o644, small+1), "hello", ErrChanged.Error()},
		"long stream":  {objstore.Bare, "", regular(0o644, small+1), strings.Repeat("x", small+2), ErrChanged.Error()},
		"mode":         {objstore.BareUserOnly, "", regular(0o4755, 5), "hello", "invalid mode 0104755 with bits 04000"},
		"bit":          {objstore.BareUserOnly, "", regular(0o777, 5), "hello", "invalid mode 0100777 with bits 00002"},
		"device":       {objstore.Bare, "", object.Header{Mode: 0o020644}, "", "invalid mode"},
		"target":       {objstore.Bare, "", object.Header{Mode: object.ModeSymlink | 0o777, Target: "\xff\xfe"}, "", "Invalid UTF-8 in symlink target"},
		"space":        {objstore.Bare, "min-free-space-size=1000000TB\n", regular(0o644, 5), "hello", "min-free-space-size 1048576000000MB would be exceeded, at least 4.1\u00a0kB requested"},
		"link space":   {objstore.Bare, "min-free-space-size=1000000TB\n", object.Header{Mode: object.ModeSymlink | 0o777, Target: "x"}, "", "at least 4.1\u00a0kB requested"},
	} {
		r := newRepo(t, c.mode, c.config)
		tx := begin(t, r)
		_, err := tx.WriteContent(c.h, strings.NewReader(c.data))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
		if n := tx.Stats().ContentWritten; n > 0 {
			t.Errorf("%s: %d written", what, n)
		}
		tx.Close()
	}
}

// TestBeginRefuses: a configuration that can't be kept to, or makes no sense.
func TestBeginRefuses(t *testing.T) {
	for config, want := range map[string]string{
		"min-free-space-size=5XB\n":           "opening repo: Invalid min-free-space-size '5XB': It should be of the format '123MB', '123GB' or '123TB'",
		"min-free-space-percent=100\n":        "opening repo: Invalid min-free-space-percent '100'",
		"[ex-fsverity]\nrequired=true\n":      "fsverity required (ex-fsverity.required)",
		"[core]\nlock-timeout-secs=zz\n":      `core.lock-timeout-secs: "zz" is not a number of seconds`,
		"[archive]\nzlib-level=zz\n":          `archive.zlib-level: "zz" is not a number`,
		"[ex-fsverity]\nrequired=x\n":         "cannot be interpreted",
		"[ex-fsverity]\nopportunistic=x\n":    "cannot be interpreted",
		"[ex-fsverity]\nopportunistic=true\n": "",
		"[ex-integrity]\nfsverity=yes\n":      "fsverity required (ex-integrity.fsverity)",
		"[ex-integrity]\nfsverity=perhaps\n":  "Invalid tri-state value: \"perhaps\"",
		"[ex-integrity]\nfsverity=maybe\n":    "",
		"[ex-integrity]\ncomposefs=true\n":    "",
	} {
		tx, err := Begin(context.Background(), newRepo(t, objstore.Bare, config))
		switch {
		case err == nil && want != "":
			t.Errorf("%q: began, want %q", config, want)
		case err != nil && (want == "" || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %v, want %q", config, err, want)
		}
		if err == nil {
			tx.Close()
		}
	}
}

// TestWhole writes a large file from a descriptor, at which it begins.
func TestWhole(t *testing.T) {
	data := samples()["large"]
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, append([]byte("xx"), data...), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, mode := range modes {
		tx := begin(t, newRepo(t, mode, ""))
		h := object.Header{Mode: object.ModeRegular | 0o644, Size: uint64(len(data))}
		want, err := tx.WriteContent(h, bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := f.Seek(2, 0); err != nil {
				t.Fatal(err)
			}
			if got, err := tx.WriteContent(h, f); err != nil || got != want {
				t.Errorf("%s: %s, %v, want %s", mode, got, err, want)
			}
		}
		f.Close()
		tx.Close()
	}
}

// TestSizes: a size is that of the object that stays, which another compressor may have
// made, unless it is torn.
func TestSizes(t *testing.T) {
	r := newRepo(t, objstore.Archive, "")
	data := samples()["large"]
	h := object.Header{Mode: object.ModeRegular | 0o644, Size: uint64(len(data))}
	var sum object.Checksum
	for _, there := range []int64{-1, 1 << 20, 0} { // bytes of the stored object; -1 for none
		tx := begin(t, r)
		tx.RecordSizes()
		_, path := r.ObjectFile(object.Name{Checksum: sum, Kind: object.KindFile})
		if there >= 0 {
			if err := os.Truncate(filepath.Join(r.Path(), "objects", path), there); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		if sum, err = tx.WriteContent(h, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		sizes := tx.Sizes()
		if len(sizes) != 1 || (there > 0) != (sizes[0].Archived == 1<<20) || sizes[0].Archived == 0 || sizes[0].Unpacked != h.Size {
			t.Errorf("%d bytes are there: %+v", there, sizes)
		}
		if held, err := tx.Keep(sum, &h); !held || err != nil {
			t.Errorf("%d bytes are there: kept %t, %v", there, held, err)
		}
		if err := errors.Join(tx.Commit(context.Background()), tx.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUpdateRefs(t *testing.T) {
	r := newRepo(t, objstore.Archive, "")
	tx := begin(t, r)
	sum := put(t, tx, "main")
	if err := errors.Join(tx.Commit(context.Background()), tx.Close()); err != nil {
		t.Fatal(err)
	}
	set := map[refs.Name]object.Checksum{{Ref: "a/b"}: sum, {Remote: "o", Ref: "x"}: sum, {Ref: "main"}: {}}
	if err := UpdateRefs(context.Background(), r, set); err != nil {
		t.Fatal(err)
	}
	for rev, there := range map[string]bool{"a/b": true, "o:x": true, "main": false} {
		if found, err := r.Resolve(rev); (err == nil) != there || there && found != sum {
			t.Errorf("%s is %s, %v", rev, found, err)
		}
	}
}

func TestDetached(t *testing.T) {
	r := newRepo(t, objstore.BareUser, "")
	tx := begin(t, r)
	defer tx.Close()
	sum := put(t, tx, "main")
	for _, text := range []string{"one", "two"} {
		entry := gvariant.NewEntry(gvariant.NewString("k"), gvariant.NewVariant(gvariant.NewString(text)))
		if err := tx.WriteDetached(sum, gvariant.NewArray("{sv}", entry)); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := r.CommitMeta(sum); ok || err != nil {
			t.Errorf("detached metadata before its commit: %v, %v", ok, err)
		}
	}
	for _, partial := range []bool{true, true, false, false} {
		if err := tx.SetPartial(sum, partial); err != nil || r.IsPartial(sum) != partial {
			t.Errorf("partial is %v, %v, want %v", r.IsPartial(sum), err, partial)
		}
	}
	if err := tx.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	meta, ok, err := r.CommitMeta(sum)
	if k, _ := meta.Lookup("k"); err != nil || !ok || k.Str() != "two" {
		t.Errorf("detached metadata %v, %v", ok, err)
	}
}
