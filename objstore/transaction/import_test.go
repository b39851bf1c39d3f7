package transaction

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// filled makes a repository of the commit of put, with detached metadata.
func filled(t *testing.T, mode objstore.Mode) (*objstore.Repo, object.Checksum) {
	t.Helper()
	t.Setenv("OSTREE_SUPPRESS_SYNCFS", "1")
	r := newRepo(t, mode, "")
	tx := begin(t, r)
	defer tx.Close()
	sum := put(t, tx, "main")
	if err := tx.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := WriteDetached(r, sum, detached()); err != nil {
		t.Fatal(err)
	}
	return r, sum
}

func detached() gvariant.Value {
	return gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString("k"), gvariant.NewVariant(gvariant.NewString("v"))))
}

// contents are the content objects of the commit of put, by the names of its files.
func contents(t *testing.T, r *objstore.Repo, commit object.Checksum) map[string]object.Name {
	t.Helper()
	c, err := r.Commit(commit)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := r.DirTree(c.Root)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]object.Name{}
	for i := range dir.NumFiles() {
		name, sum := dir.File(i)
		found[string(name)] = object.Name{Checksum: sum, Kind: object.KindFile}
	}
	return found
}

// importAll takes over what put has made.
func importAll(t *testing.T, tx *Transaction, src *objstore.Repo, commit object.Checksum, o ImportOptions) (all []Imported, err error) {
	t.Helper()
	c, _ := src.Commit(commit)
	names := []object.Name{{Checksum: commit, Kind: object.KindCommit}, {Checksum: c.Root, Kind: object.KindDirTree}, {Checksum: c.RootMeta, Kind: object.KindDirMeta}}
	for _, name := range contents(t, src, commit) {
		names = append(names, name)
	}
	for _, name := range names {
		done, err := tx.Import(src, name, o)
		if err != nil {
			return all, err
		}
		all = append(all, done)
	}
	_, err = tx.ImportDetached(src, commit)
	return all, err
}

func linked(a, b *objstore.Repo, name object.Name) bool {
	dirA, fileA := a.ObjectFile(name)
	dirB, fileB := b.ObjectFile(name)
	var x, y unix.Stat_t
	return unix.Fstatat(int(dirA.Fd()), fileA, &x, unix.AT_SYMLINK_NOFOLLOW) == nil &&
		unix.Fstatat(int(dirB.Fd()), fileB, &y, unix.AT_SYMLINK_NOFOLLOW) == nil && x.Dev == y.Dev && x.Ino == y.Ino
}

// TestImport: every mode takes from every mode, by links where both keep objects alike.
func TestImport(t *testing.T) {
	for _, from := range modes {
		src, sum := filled(t, from)
		for _, to := range modes {
			configs := []string{""}
			if from == to {
				configs = append(configs, "per-object-fsync=true\n")
			}
			for _, config := range configs {
				dest := newRepo(t, to, config)
				tx := begin(t, dest)
				if _, err := importAll(t, tx, src, sum, ImportOptions{Untrusted: config != ""}); err != nil {
					t.Fatalf("%s to %s: %v", from, to, err)
				}
				if err := tx.Commit(context.Background()); err != nil {
					t.Fatal(err)
				}
				again, err := importAll(t, tx, src, sum, ImportOptions{})
				for _, done := range again {
					if !done.Held {
						t.Errorf("%s to %s: taken over twice", from, to)
					}
				}
				tx.Close()
				if v, ok, _ := dest.CommitMeta(sum); err != nil || !ok || !bytes.Equal(v.Bytes(), detached().Bytes()) {
					t.Errorf("%s to %s: detached metadata %v, %v", from, to, ok, err)
				}
				checkImported(t, src, dest, sum)
			}
		}
	}
}

func checkImported(t *testing.T, src, dest *objstore.Repo, commit object.Checksum) {
	t.Helper()
	c, err := dest.Commit(commit)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []object.Name{{Checksum: commit, Kind: object.KindCommit}, {Checksum: c.Root, Kind: object.KindDirTree}} {
		if !linked(src, dest, name) {
			t.Errorf("%s: not linked", name)
		}
	}
	user := src.Mode() == objstore.BareUser && dest.Mode() == objstore.BareUserOnly
	for file, name := range contents(t, dest, commit) {
		want := src.Mode() == dest.Mode() || user && file != "zlink"
		if got := linked(src, dest, name); got != want {
			t.Errorf("%s to %s: %s: linked %v, want %v", src.Mode(), dest.Mode(), file, got, want)
		}
		content, err := dest.Content(name.Checksum)
		if err != nil {
			t.Fatal(err)
		}
		if err := content.Verify(); err != nil {
			t.Errorf("%s to %s: %s: %v", src.Mode(), dest.Mode(), file, err)
		}
		content.Close()
	}
}

// TestImportAcross: where no links are possible, files are copied; those of an
// archive as they are.
func TestImportAcross(t *testing.T) {
	dir, err := os.MkdirTemp("/dev/shm", "deployfs-")
	if err != nil {
		t.Skip("no other file system: ", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, mode := range modes {
		src, sum := filled(t, mode)
		dest, err := objstore.Create(filepath.Join(dir, mode.String()), objstore.Setup{Mode: mode})
		if err != nil {
			t.Fatal(err)
		}
		defer dest.Close()
		tx := begin(t, dest)
		defer tx.Close()
		done, err := importAll(t, tx, src, sum, ImportOptions{})
		if errors.Is(err, unix.EOPNOTSUPP) {
			t.Skip("no xattrs there: ", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range done {
			if one.Written > 0 {
				t.Errorf("%s: a copy counts as written", mode)
			}
		}
		if err := tx.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, name := range contents(t, dest, sum) {
			content, err := dest.Content(name.Checksum)
			if err != nil {
				t.Fatal(err)
			}
			if err := content.Verify(); err != nil {
				t.Error(mode, err)
			}
			content.Close()
			if mode == objstore.Archive && read(t, src, name) != read(t, dest, name) {
				t.Error("a file of an archive has changed")
			}
		}
	}
}

func read(t *testing.T, r *objstore.Repo, name object.Name) string {
	t.Helper()
	_, path := r.ObjectFile(name)
	data, err := os.ReadFile(filepath.Join(r.Path(), "objects", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// replace puts something else in the place of an object's file.
func replace(t *testing.T, r *objstore.Repo, name object.Name, make func(path string) error) {
	t.Helper()
	_, path := r.ObjectFile(name)
	path = filepath.Join(r.Path(), "objects", path)
	temp := path + ".new"
	if err := make(temp); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temp, path); err != nil {
		t.Fatal(err)
	}
}

func otherText(path string) error { return os.WriteFile(path, []byte("HELLO\n"), 0o755) }

// TestImportDamage: content that is not what its name says is refused where that is
// asked for, else taken and told, unless it is linked unread.
func TestImportDamage(t *testing.T) {
	const words = "Corrupted file object; checksum expected='"
	for _, c := range []struct {
		to                objstore.Mode
		untrusted, told   bool
		refused, forgiven string
	}{
		{to: objstore.Bare},
		{to: objstore.Bare, untrusted: true, refused: "fsck content object "},
		{to: objstore.Archive, told: true},
		{to: objstore.Archive, untrusted: true, refused: "Writing content object: "},
	} {
		src, sum := filled(t, objstore.Bare)
		name := contents(t, src, sum)["small"]
		replace(t, src, name, otherText)
		tx := begin(t, newRepo(t, c.to, ""))
		done, err := tx.Import(src, name, ImportOptions{Untrusted: c.untrusted})
		if (err != nil) != (c.refused != "") || err != nil && (!strings.Contains(err.Error(), c.refused) || !strings.Contains(err.Error(), words)) {
			t.Errorf("to %s, untrusted %v: %v, want %q", c.to, c.untrusted, err, c.refused)
		}
		if (done.Damage != nil) != c.told {
			t.Errorf("to %s, untrusted %v: told of %v", c.to, c.untrusted, done.Damage)
		}
		if held, _ := tx.Has(name); held != (c.refused == "") {
			t.Errorf("to %s, untrusted %v: held %v", c.to, c.untrusted, held)
		}
		tx.Close()
	}
}

// TestImportMetadataDamage: so with metadata; what can't be metadata is refused.
func TestImportMetadataDamage(t *testing.T) {
	src, sum := filled(t, objstore.Archive)
	c, err := src.Commit(sum)
	if err != nil {
		t.Fatal(err)
	}
	name := object.Name{Checksum: c.RootMeta, Kind: object.KindDirMeta}
	other := object.DirMeta{Mode: object.ModeDir | 0o700}.Encode()
	replace(t, src, name, func(path string) error { return os.WriteFile(path, other, 0o644) })
	tx := begin(t, newRepo(t, objstore.Bare, ""))
	defer tx.Close()
	if _, err := tx.Import(src, name, ImportOptions{Untrusted: true}); err == nil || !strings.HasPrefix(err.Error(), "fsck "+name.String()+": Corrupted dirmeta object; checksum expected='") {
		t.Errorf("untrusted: %v", err)
	}
	if done, err := tx.Import(src, name, ImportOptions{}); err != nil || done.Damage == nil {
		t.Errorf("trusted: %v, told of %v", err, done.Damage)
	}
	name = object.Name{Checksum: c.Root, Kind: object.KindDirTree}
	replace(t, src, name, func(path string) error { return os.WriteFile(path, []byte("junk"), 0o644) })
	if _, err := tx.Import(src, name, ImportOptions{}); err == nil {
		t.Error("a dirtree of junk was taken over")
	}
}

// TestImportAbsent: words for what is not there.
func TestImportAbsent(t *testing.T) {
	src, _ := filled(t, objstore.Bare)
	sum := object.Checksum{1}
	for _, c := range []struct {
		to        objstore.Mode
		kind      object.Kind
		untrusted bool
		want      string
	}{
		{objstore.Bare, object.KindDirTree, false, "Importing SUM.dirtree: linkat: No such file or directory"},
		{objstore.Bare, object.KindDirTree, true, "fsck SUM.dirtree: No such metadata object SUM.dirtree"},
		{objstore.Bare, object.KindFile, false, "Importing SUM.file: linkat: No such file or directory"},
		{objstore.Bare, object.KindFile, true, "fsck content object SUM: Opening content object SUM: Couldn't find file object 'SUM'"},
		{objstore.Archive, object.KindFile, false, "Opening content object SUM: Couldn't find file object 'SUM'"},
	} {
		tx := begin(t, newRepo(t, c.to, ""))
		_, err := tx.Import(src, object.Name{Checksum: sum, Kind: c.kind}, ImportOptions{Untrusted: c.untrusted})
		if want := strings.ReplaceAll(c.want, "SUM", sum.String()); err == nil || err.Error() != want || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v, want %s", err, want)
		}
		tx.Close()
	}
}

// TestImportNoFile: what is no file of an object is not linked, and not waited for.
func TestImportNoFile(t *testing.T) {
	for _, mode := range modes {
		src, sum := filled(t, mode)
		name := contents(t, src, sum)["small"]
		makers := map[string]func(string) error{"pipe": func(path string) error { return unix.Mkfifo(path, 0o644) }}
		if mode == objstore.Archive || mode == objstore.BareUser {
			makers["link"] = func(path string) error { return os.Symlink("/etc/passwd", path) }
		}
		for what, maker := range makers {
			replace(t, src, name, maker)
			tx := begin(t, newRepo(t, mode, ""))
			if _, err := tx.Import(src, name, ImportOptions{}); err == nil {
				t.Errorf("%s: a %s was taken over", mode, what)
			}
			tx.Close()
		}
	}
}

// TestImportModest: modes that bare-user-only can't keep are refused there, and
// anywhere when that is asked for.
func TestImportModest(t *testing.T) {
	for _, from := range []objstore.Mode{objstore.BareUser, objstore.Archive} {
		src := newRepo(t, from, "")
		tx := begin(t, src)
		sum, err := tx.WriteContent(object.Header{Mode: object.ModeRegular | 0o4755, Size: 1}, strings.NewReader("x"))
		if err == nil {
			err = tx.Commit(context.Background())
		}
		tx.Close()
		if err != nil {
			t.Fatal(err)
		}
		for to, o := range map[objstore.Mode]ImportOptions{objstore.BareUserOnly: {}, from: {Modest: true}} {
			tx := begin(t, newRepo(t, to, ""))
			_, err := tx.Import(src, object.Name{Checksum: sum, Kind: object.KindFile}, o)
			if want := "Content object " + sum.String() + ": invalid mode 0104755 with bits 04000"; err == nil || !strings.HasSuffix(err.Error(), want) {
				t.Errorf("%s to %s: %v", from, to, err)
			}
			tx.Close()
		}
	}
}

// TestImportLossy: files of other owners lose them in bare-user-only, which is told.
func TestImportLossy(t *testing.T) {
	src := newRepo(t, objstore.BareUser, "")
	tx := begin(t, src)
	var sums []object.Checksum
	for _, uid := range []uint32{0, 1000} {
		sum, err := tx.WriteContent(object.Header{UID: uid, Mode: object.ModeRegular | 0o644, Size: 1}, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, sum)
	}
	if err := tx.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	tx.Close()
	to := begin(t, newRepo(t, objstore.BareUserOnly, ""))
	defer to.Close()
	for i, sum := range sums {
		done, err := to.Import(src, object.Name{Checksum: sum, Kind: object.KindFile}, ImportOptions{})
		if err != nil || done.Lossy != (i == 1) {
			t.Errorf("file %d: lossy %v, %v", i, done.Lossy, err)
		}
	}
}

// TestImportParents: objects come from parents of the other repository, too, and
// those of an own parent do not come.
func TestImportParents(t *testing.T) {
	base, sum := filled(t, objstore.Archive)
	child := newRepo(t, objstore.Bare, "parent="+base.Path()+"\n")
	src, err := objstore.Open(child.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dest := newRepo(t, objstore.Archive, "")
	tx := begin(t, dest)
	defer tx.Close()
	if _, err := importAll(t, tx, src, sum, ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	checkImported(t, base, dest, sum)

	with := begin(t, src)
	defer with.Close()
	done, err := importAll(t, with, dest, sum, ImportOptions{})
	for _, one := range done {
		if !one.Held {
			t.Error("an object of the parent was taken over")
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
