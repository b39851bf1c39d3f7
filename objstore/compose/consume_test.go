package compose

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
	"deployfs/objstore/tree"
)

func stat(t *testing.T, path string) stamp {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(path, err)
	}
	return stampOf(&st)
}

func objectPath(r *objstore.Repo, content object.Checksum) string {
	_, path := r.ObjectFile(object.Name{Checksum: content, Kind: object.KindFile})
	return filepath.Join(r.Path(), "objects", path)
}

// overwrite changes a file and not its size.
func overwrite(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// verify checks the file called name of a commit.
func verify(t *testing.T, r *objstore.Repo, c object.Commit, name string) object.Checksum {
	t.Helper()
	e, err := tree.Lookup(r, tree.Root(c), name)
	if err != nil {
		t.Fatal(err)
	}
	content, err := r.Content(e.Content)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	if err := content.Verify(); err != nil {
		t.Error(err)
	}
	return e.Content
}

var adopting = []objstore.Mode{objstore.Bare, objstore.BareUserOnly}

// consuming is a source that is old, and a repository.
func consuming(t *testing.T, mode objstore.Mode, config string) (r *objstore.Repo, src string) {
	t.Helper()
	dir := place(t)
	r = newRepo(t, dir, mode, config)
	src = files(t, dir+"/src", map[string]string{"a": "file", "dir/b": "other"})
	old := time.Unix(1600000000, 0)
	if err := errors.Join(os.Chtimes(src+"/a", old, old), os.Chmod(src+"/a", 0o666)); err != nil {
		t.Fatal(err)
	}
	return r, src
}

// TestConsumeInVain: when a commit fails, at whatever point, the files that it was given
// are their owner's as they were, and what is written to them does not get into the
// repository.
func TestConsumeInVain(t *testing.T) {
	for what, request := range map[string]Request{
		"before the tree is known": {Bootable: true},
		"at the ref":               {Branch: "taken/below"},
		"at the first moment":      {Branch: "x"},
	} {
		for _, mode := range adopting {
			for _, config := range []string{"fsync=true\n", "", "per-object-fsync=true\n"} {
				r, src := consuming(t, mode, config)
				must(t, r, Request{Branch: "taken", Sources: []Source{{Dir, files(t, place(t), map[string]string{"x": "x"})}}})
				was := stat(t, src+"/a")
				request.Sources, request.Consume, request.Orphan = []Source{{Dir, src}}, true, false
				if request.Branch == "x" {
					t.Setenv("OSTREE_REPO_TEST_ERROR", "pre-commit")
				}
				_, err := run(r, request)
				os.Unsetenv("OSTREE_REPO_TEST_ERROR")
				if err == nil {
					t.Fatal(what, ": it does not fail")
				}
				info, err := os.Stat(src + "/a")
				if err != nil {
					t.Fatal(err)
				}
				if now := stat(t, src+"/a"); now.inode != was.inode || now.changed != was.changed || info.Mode() != 0o666 {
					t.Errorf("%s, %s: the file is %v %+v, was %+v", what, mode, info.Mode(), now, was)
				}
				overwrite(t, src+"/a", "FILE")
				again := files(t, place(t), map[string]string{"a": "file"})
				if err := os.Chmod(again+"/a", 0o666); err != nil {
					t.Fatal(err)
				}
				c := must(t, r, Request{Branch: "main", Sources: []Source{{Dir, again}}})
				verify(t, r, c, "a")
			}
		}
	}
}

// TestConsumeWritten: a file is copied that somebody has open for writing, and one that
// would get another mode under another name, too, which may be another repository's object.
func TestConsumeWritten(t *testing.T) {
	for what, hold := range map[string]func(path string) (release func() error, err error){
		"open": func(path string) (func() error, error) {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			return f.Close, err
		},
		"linked": func(path string) (func() error, error) {
			return func() error { return nil }, errors.Join(os.Chmod(path, 0o666), os.Link(path, filepath.Dir(path)+"-other"))
		},
	} {
		for _, mode := range adopting {
			r, src := consuming(t, mode, "")
			release, err := hold(src + "/a")
			if err != nil {
				t.Fatal(err)
			}
			was := stat(t, src+"/a")
			c := must(t, r, Request{Sources: []Source{{Dir, src}}, Consume: true})
			keeps := what == "linked" && mode == objstore.Bare
			if now := stat(t, objectPath(r, verify(t, r, c, "a"))); (now.inode == was.inode) != keeps {
				t.Errorf("%s, %s: taken over: %v", mode, what, !keeps)
			}
			if what == "linked" && !keeps && stat(t, src+"-other").changed != was.changed {
				t.Errorf("%s: the other name has another time", mode)
			}
			if err := release(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestConsumeChanged: what is changed after it was hashed is not committed as what it
// was, and what is changed after it was committed is not deleted.
func TestConsumeChanged(t *testing.T) {
	change := func(src string) {
		overwrite(t, src+"/a", "FILE")
		other := files(t, src+"-new", map[string]string{"b": "new"})
		if err := os.Rename(other+"/b", src+"/dir/b"); err != nil {
			t.Fatal(err)
		}
	}
	for _, mode := range []objstore.Mode{objstore.Bare, objstore.BareUserOnly, objstore.Archive} {
		r, src := consuming(t, mode, "")
		plan, err := Prepare(r, Request{Orphan: true, Sources: []Source{{Dir, src}}, Consume: true})
		if err != nil {
			t.Fatal(err)
		}
		tx, err := transaction.Begin(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := plan.build(context.Background(), tx)
		if err != nil {
			t.Fatal(err)
		}
		change(src)
		if err := b.adopt(); mode != objstore.Archive && !errors.Is(err, errChanged) {
			t.Errorf("%s: a changed file is taken over: %v", mode, err)
		}
		if err := b.consume(); err == nil || !strings.Contains(err.Error(), "2 files stay that have changed since they were read, such as "+src+"/a") {
			t.Errorf("%s: %v", mode, err)
		}
		for name, want := range map[string]string{"a": "FILE", "dir/b": "new"} {
			if text, err := os.ReadFile(src + "/" + name); err != nil || string(text) != want {
				t.Errorf("%s: %s is %q, %v", mode, name, text, err)
			}
		}
		if err := tx.Close(); err != nil {
			t.Error(err)
		}
	}
}
