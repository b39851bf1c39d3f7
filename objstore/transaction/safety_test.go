package transaction

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// finish commits and closes a transaction.
func finish(t *testing.T, tx *Transaction) {
	t.Helper()
	must(t, tx.Commit(context.Background()))
	must(t, tx.Close())
}

// fileOf is where an object is, or would be.
func fileOf(r *objstore.Repo, name object.Name) string {
	_, path := r.ObjectFile(name)
	return filepath.Join(r.Path(), "objects", path)
}

// stagedFile is the one file of a staging directory that matches.
func stagedFile(t *testing.T, r *objstore.Repo, pattern string) string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(r.Path(), "tmp/staging-*", pattern))
	if len(found) != 1 {
		t.Fatalf("staged as %s: %q", pattern, found)
	}
	return found[0]
}

// TestGivenGroup: what a directory gives its files is not what objects get.
func TestGivenGroup(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can write objects of mode bare with any owner")
	}
	r := newRepo(t, objstore.Bare, "")
	must(t, os.Chown(r.Path()+"/tmp", 0, 1234))
	must(t, os.Chmod(r.Path()+"/tmp", 0o775|os.ModeSetgid))
	tx := begin(t, r)
	sum := put(t, tx, "main")
	finish(t, tx)
	check(t, r, sum)
	for name, content := range contents(t, r, sum) {
		var st unix.Stat_t
		must(t, unix.Lstat(fileOf(r, content), &st))
		if st.Gid != 0 {
			t.Errorf("%s is of group %d", name, st.Gid)
		}
	}
}

// TestGivenACL: an ACL that a directory gives its files is no part of an object.
func TestGivenACL(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can write objects of mode bare")
	}
	r := newRepo(t, objstore.Bare, "")
	acl := binary.LittleEndian.AppendUint32(nil, 2)
	for _, entry := range [][3]uint32{{1, 7, ^uint32(0)}, {2, 7, 1234}, {4, 5, ^uint32(0)}, {16, 7, ^uint32(0)}, {32, 5, ^uint32(0)}} {
		acl = binary.LittleEndian.AppendUint16(acl, uint16(entry[0]))
		acl = binary.LittleEndian.AppendUint16(acl, uint16(entry[1]))
		acl = binary.LittleEndian.AppendUint32(acl, entry[2])
	}
	if err := unix.Setxattr(r.Path()+"/tmp", "system.posix_acl_default", acl, 0); err != nil {
		t.Skip("the file system has no ACLs: ", err)
	}
	tx := begin(t, r)
	sum := put(t, tx, "main")
	finish(t, tx)
	check(t, r, sum)
}

// TestFailedSync: what may not have reached the disk is not gone on with.
func TestFailedSync(t *testing.T) {
	t.Setenv("OSTREE_SUPPRESS_SYNCFS", "")
	r := newRepo(t, objstore.Archive, "")
	tx := begin(t, r)
	put(t, tx, "main")
	tx.flush = func(int) error { return unix.EIO }
	if err := tx.Commit(context.Background()); err == nil || !strings.Contains(err.Error(), "syncfs") {
		t.Errorf("committed: %v", err)
	}
	must(t, tx.Close())
	tx = begin(t, r)
	sum := put(t, tx, "main")
	if s := tx.Stats(); s.ContentWritten != 4 || s.MetadataWritten != 3 {
		t.Errorf("not written again: %+v", s)
	}
	finish(t, tx)
	check(t, r, sum)
}

// TestUntrustedAfterTrusted: content that a transaction has staged which trusted its
// source is not what an untrusting one has checked.
func TestUntrustedAfterTrusted(t *testing.T) {
	src, sum := filled(t, objstore.Archive)
	dest := newRepo(t, objstore.Archive, "")
	small := contents(t, src, sum)["small"]
	tx := begin(t, dest)
	if _, err := importAll(t, tx, src, sum, ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	must(t, tx.Close())
	_, path := dest.ObjectFile(small)
	bad := stagedFile(t, dest, path)
	must(t, os.Remove(bad))
	must(t, os.WriteFile(bad, []byte("damage"), 0o644))

	tx = begin(t, dest)
	if _, err := tx.Import(src, small, ImportOptions{Untrusted: true}); err == nil {
		t.Error("taken for checked")
	}
	must(t, tx.Close())
	tx, err := BeginAfresh(context.Background(), dest)
	must(t, err)
	if _, err := importAll(t, tx, src, sum, ImportOptions{Untrusted: true}); err != nil {
		t.Fatal(err)
	}
	tx.SetRef(refs.Name{Ref: "main"}, sum)
	finish(t, tx)
	check(t, dest, sum)
}

// TestCutOffCommit: a commit that is staged becomes visible with the transaction that
// writes it, not with another.
func TestCutOffCommit(t *testing.T) {
	r := newRepo(t, objstore.Archive, "")
	tx := begin(t, r)
	cut := put(t, tx, "main")
	must(t, tx.WriteDetached(cut, detached()))
	must(t, tx.Close())
	tx = begin(t, r)
	if _, err := tx.WriteContent(object.Header{Mode: object.ModeRegular, Size: 5}, strings.NewReader("other")); err != nil {
		t.Fatal(err)
	}
	finish(t, tx)
	for _, kind := range []object.Kind{object.KindCommit, object.KindCommitMeta} {
		if held, err := r.HasObject(object.Name{Checksum: cut, Kind: kind}); held || err != nil {
			t.Errorf("%s is visible: %v", kind, err)
		}
	}
	tx = begin(t, r)
	put(t, tx, "main")
	must(t, tx.Close())
	must(t, ClearStaging(r))
	if left, _ := filepath.Glob(r.Path() + "/tmp/staging-*"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	tx = begin(t, r)
	defer tx.Close()
	must(t, ClearStaging(r))
	sum := put(t, tx, "main")
	must(t, tx.Commit(context.Background()))
	check(t, r, sum)
}

// TestStrays: nothing that lies in tmp is in the way of writers.
func TestStrays(t *testing.T) {
	t.Setenv("OSTREE_BOOTID", "boot")
	plant := map[string]func(r *objstore.Repo, path string) error{
		"file":      func(_ *objstore.Repo, path string) error { return os.WriteFile(path, nil, 0o644) },
		"symlink":   func(_ *objstore.Repo, path string) error { return os.Symlink("/", path) },
		"directory": func(_ *objstore.Repo, path string) error { return os.Mkdir(path, 0o755) },
	}
	places := []string{"staging-boot-AAAAAA", "staging-boot-AAAAAA-lock", "staging-old-AAAAAA", "staging-old-AAAAAA-lock"}
	for what, make := range plant {
		for _, place := range places {
			r := newRepo(t, objstore.BareUserOnly, "")
			must(t, make(r, r.Path()+"/tmp/"+place))
			if dir, ok := strings.CutSuffix(place, "-lock"); ok {
				must(t, os.Mkdir(r.Path()+"/tmp/"+dir, 0o755))
			}
			tx := begin(t, r)
			sum := put(t, tx, "main")
			finish(t, tx)
			check(t, r, sum)
		}
		r := newRepo(t, objstore.BareUserOnly, "")
		tx := begin(t, r)
		put(t, tx, "main")
		must(t, tx.Close())
		stage := stagedFile(t, r, "")
		for _, bucket := range []string{"00", "zz"} {
			if err := make(r, stage+"/"+bucket); err != nil && !os.IsExist(err) {
				t.Fatal(err)
			}
		}
		tx = begin(t, r)
		sum := put(t, tx, "main")
		if _, err := tx.WriteContent(object.Header{Mode: object.ModeRegular | 0o644, Size: 3}, strings.NewReader("100")); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		finish(t, tx)
		check(t, r, sum)
		if _, err := os.Lstat(r.Path() + "/objects/zz"); err == nil {
			t.Errorf("%s: a directory that is none of objects", what)
		}
	}
}

// TestFailedCommit leaves the tombstone, and no detached metadata.
func TestFailedCommit(t *testing.T) {
	r := newRepo(t, objstore.Archive, "")
	tx := begin(t, r)
	sum := put(t, tx, "main")
	must(t, tx.WriteDetached(sum, detached()))
	if _, err := r.Bury(sum); err != nil {
		t.Fatal(err)
	}
	tomb := fileOf(r, object.Name{Checksum: sum, Kind: object.KindTombstone})
	t.Setenv("OSTREE_REPO_TEST_ERROR", "pre-commit")
	if err := tx.Commit(context.Background()); err == nil {
		t.Error("committed")
	}
	must(t, tx.Close())
	if _, err := os.Stat(tomb); err != nil {
		t.Error("the tombstone is gone:", err)
	}
	if _, ok, err := r.CommitMeta(sum); ok || err != nil {
		t.Errorf("detached metadata without a commit: %v", err)
	}
	t.Setenv("OSTREE_REPO_TEST_ERROR", "")
	tx = begin(t, r)
	put(t, tx, "main")
	must(t, tx.WriteDetached(sum, detached()))
	finish(t, tx)
	if _, err := os.Stat(tomb); err == nil {
		t.Error("the tombstone is there beside the commit")
	}
	if meta, ok, err := r.CommitMeta(sum); !ok || err != nil || !bytes.Equal(meta.Bytes(), detached().Bytes()) {
		t.Errorf("detached metadata: %v, %v", ok, err)
	}
}

// tears are what may be in the place of an object.
var tears = []struct {
	what string
	make func(path string) error
}{
	{"emptied", func(path string) error { return os.WriteFile(path, nil, 0o644) }},
	{"directory", func(path string) error { return os.MkdirAll(path+"/sub", 0o755) }},
	{"fifo", func(path string) error { return unix.Mkfifo(path, 0o644) }},
	{"symlink", func(path string) error { return os.Symlink("nowhere", path) }},
}

// TestTorn: what is no object is not taken for one, and an object takes its place.
func TestTorn(t *testing.T) {
	t.Setenv("OSTREE_SUPPRESS_SYNCFS", "1")
	for i, mode := range modes {
		for k, config := range []string{"", "fsync=false\n"} {
			r, sum := filledAs(t, mode, config)
			commit, err := r.Commit(sum)
			must(t, err)
			files := contents(t, r, sum)
			torn := []object.Name{files["small"], files["large"], {Checksum: sum, Kind: object.KindCommit},
				{Checksum: commit.Root, Kind: object.KindDirTree}, {Checksum: commit.RootMeta, Kind: object.KindDirMeta}}
			for n, name := range torn {
				must(t, os.Remove(fileOf(r, name)))
				must(t, tears[(i+2*k+n)%len(tears)].make(fileOf(r, name)))
			}
			link := fileOf(r, files["zlink"])
			must(t, os.Remove(link))
			must(t, tears[(i+k)%3].make(link))
			tx := begin(t, r)
			put(t, tx, "main")
			finish(t, tx)
			check(t, r, sum)
			if c, err := r.Content(files["zlink"].Checksum); err != nil || c.Header.Target != "small" {
				t.Errorf("%s, %q: the link is %+v, %v", mode, config, c, err)
			}
			if left, _ := filepath.Glob(r.Path() + "/tmp/*"); len(left) != 1 { // cache
				t.Errorf("left in tmp: %q", left)
			}
		}
	}
}

func filledAs(t *testing.T, mode objstore.Mode, config string) (*objstore.Repo, object.Checksum) {
	t.Helper()
	r := newRepo(t, mode, config)
	tx := begin(t, r)
	sum := put(t, tx, "main")
	finish(t, tx)
	return r, sum
}

// TestTornImport: an object takes the place of what is torn when it is taken over, too.
func TestTornImport(t *testing.T) {
	src, sum := filled(t, objstore.BareUser)
	small := contents(t, src, sum)["small"]
	for _, config := range []string{"", "fsync=false\n"} {
		r, _ := filledAs(t, objstore.BareUser, config)
		for _, tear := range tears {
			must(t, os.Remove(fileOf(r, small)))
			must(t, tear.make(fileOf(r, small)))
			tx := begin(t, r)
			if done, err := tx.Import(src, small, ImportOptions{}); done.Held || err != nil {
				t.Errorf("%s: held: %v, %v", tear.what, done.Held, err)
			}
			finish(t, tx)
			check(t, r, sum)
		}
	}
}

// TestTornAdopt: what is given away takes the place of what is torn.
func TestTornAdopt(t *testing.T) {
	for _, config := range []string{"", "fsync=false\n"} {
		r, sum := filledAs(t, objstore.BareUserOnly, config)
		small := contents(t, r, sum)["small"]
		for _, tear := range tears[:3] {
			must(t, os.Remove(fileOf(r, small)))
			must(t, tear.make(fileOf(r, small)))
			given := filepath.Join(filepath.Dir(r.Path()), "given"+tear.what)
			must(t, os.WriteFile(given, samples()["small"], 0o755))
			file, err := os.Open(given)
			must(t, err)
			tx := begin(t, r)
			h := object.Header{Mode: object.ModeRegular | 0o755, Size: uint64(len(samples()["small"]))}
			found, held, err := tx.Identify(h, file)
			if found != small.Checksum || held || err != nil {
				t.Errorf("%s: %s, held: %v, %v", tear.what, found, held, err)
			}
			tx.Last(func() error { return tx.Adopt(found, &h, file, false) })
			finish(t, tx)
			file.Close()
			check(t, r, sum)
		}
	}
}
