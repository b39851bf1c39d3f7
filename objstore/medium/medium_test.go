package medium

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/pull"
	"deployfs/objstore/refs"
	"deployfs/objstore/transaction"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string) *Medium {
	t.Helper()
	m, err := Open(path)
	check(t, err)
	t.Cleanup(func() { m.Close() })
	return m
}

func create(t *testing.T, path string) *objstore.Repo {
	t.Helper()
	check(t, os.MkdirAll(path, 0o755))
	repo, err := objstore.Create(path, objstore.Setup{Mode: objstore.Archive})
	check(t, err)
	t.Cleanup(func() { repo.Close() })
	return repo
}

func link(t *testing.T, target, path string) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.Symlink(target, path))
}

// TestRepos: those in repos.d come first, by name, whatever they are.
func TestRepos(t *testing.T) {
	dir := t.TempDir()
	m := open(t, dir)
	if got := slices.Collect(m.Repos()); !slices.Equal(got, wellKnown) {
		t.Errorf("empty: %q", got)
	}
	for _, name := range []string{"b", "a", ".c", "01"} {
		link(t, "nowhere", filepath.Join(dir, linkDir, name))
	}
	want := append([]string{linkDir + "/.c", linkDir + "/01", linkDir + "/a", linkDir + "/b"}, wellKnown...)
	if got := slices.Collect(m.Repos()); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	check(t, os.RemoveAll(filepath.Join(dir, ".ostree")))
	link(t, t.TempDir(), filepath.Join(dir, linkDir)) // not followed out of the medium
	if got := slices.Collect(m.Repos()); !slices.Equal(got, wellKnown) {
		t.Errorf("a link: %q", got)
	}
}

// TestInside: whatever way a path leads, only what is on the medium is opened, and nothing is
// written elsewhere.
func TestInside(t *testing.T) {
	elsewhere := t.TempDir()
	create(t, elsewhere+"/repo")
	for name, c := range map[string]struct {
		make func(dir string)
		dest string
		want string // in the error; "" is none
	}{
		"plain":             {func(string) {}, "a/b/../repo/", ""},
		"a link inside":     {func(dir string) { create(t, dir+"/x/repo"); link(t, "x", dir+"/y") }, "y/repo", ""},
		"up":                {func(string) {}, "../repo", ErrOutside.Error()},
		"up and down":       {func(string) {}, "a/../../x", ErrOutside.Error()},
		"absolute":          {func(string) {}, elsewhere + "/repo", ErrOutside.Error()},
		"a link out":        {func(dir string) { link(t, elsewhere, dir+"/x") }, "x/repo", ErrOutside.Error()},
		"a link up":         {func(dir string) { link(t, "../..", dir+"/x") }, "x/repo", ErrOutside.Error()},
		"a link to nothing": {func(dir string) { link(t, "nothing", dir+"/x") }, "x", "No such file or directory"},
		"a file":            {func(dir string) { check(t, os.WriteFile(dir+"/x", nil, 0o644)) }, "x", "Creating repo: fstatat(x/objects): Not a directory"},
		"a file on the way": {func(dir string) { check(t, os.WriteFile(dir+"/x", nil, 0o644)) }, "x/y", "Not a directory"},
		"objects out": {func(dir string) {
			create(t, dir+"/r")
			check(t, os.Rename(dir+"/r/objects", elsewhere+"/objects"))
			link(t, elsewhere+"/objects", dir+"/r/objects")
		}, "r", "objects leads out of it"},
		"a bucket out": {func(dir string) { create(t, dir+"/r"); link(t, elsewhere, dir+"/r/objects/ab") }, "r", "objects/ab leads out of it"},
		"tmp out":      {func(dir string) { create(t, dir+"/r"); os.RemoveAll(dir + "/r/tmp"); link(t, elsewhere, dir+"/r/tmp") }, "r", "tmp leads out of it"},
		"a parent": {func(dir string) {
			check(t, create(t, dir+"/r").WriteConfig([]byte("[core]\nrepo_version=1\nmode=archive\nparent="+elsewhere+"/repo\n")))
		}, "r", "may have no parent"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir() + "/medium"
			check(t, os.Mkdir(dir, 0o755))
			c.make(dir)
			m := open(t, dir)
			repo, err := m.Create(c.dest)
			if err == nil {
				repo.Close()
				if again, err := m.Repo(filepath.Clean(c.dest)); err != nil {
					t.Error("made, but not found:", err)
				} else {
					again.Close()
				}
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if left, _ := os.ReadDir(filepath.Dir(dir)); len(left) != 1 {
				t.Errorf("outside there is %v", left)
			}
		})
	}
}

// TestLinks: a repository is found by one link, under the first name that is free.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	m := open(t, dir)
	for _, c := range []struct{ dest, want string }{
		{usualRepo, ""}, {otherRepo, ""}, {"some", "00-generated"}, {"some", "00-generated"},
		{"var/lib/flatpak/repo", "00-generated 01-generated"}, {"deep/er", "00-generated 01-generated 02-generated"},
	} {
		repo := create(t, filepath.Join(dir, c.dest))
		check(t, m.link(repo, c.dest))
		if got := strings.Join(m.links(), " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.dest, got, c.want)
		}
	}
	if target, err := os.Readlink(filepath.Join(dir, linkDir, "02-generated")); target != "../../deep/er" {
		t.Error(target, err)
	}
	full := filepath.Join(dir, linkDir)
	for i := range maxLinks {
		os.Symlink("nowhere", filepath.Join(full, strings.Replace("XX-generated", "XX", string(rune('0'+i/10))+string(rune('0'+i%10)), 1)))
	}
	if err := m.link(create(t, dir+"/more"), "more"); err == nil || err.Error() != "Could not find an unused symlink name for the repository" {
		t.Error(err)
	}
}

// TestCopy: refs come to the medium as mirrored ones, whatever they were, and are listed there.
func TestCopy(t *testing.T) {
	src := create(t, t.TempDir()+"/src")
	name := refs.Name{Collection: "org.example.Us", Ref: "os/main"}
	sum := grow(t, src, name)
	dir := t.TempDir()
	m := open(t, dir)
	do := func(src *objstore.Repo, repo string, names ...refs.Name) error {
		return m.Copy(context.Background(), src, Copy{Repo: repo, Fast: true, Pull: pull.Options{CollectionRefs: names}})
	}
	check(t, do(src, "x", name))
	check(t, do(src, "", name))
	for _, path := range []string{"x", usualRepo, linkDir + "/00-generated"} {
		repo, err := m.Repo(path)
		check(t, err)
		list, err := repo.MirroredRefs()
		check(t, err)
		if len(list) != 1 || list[0].Collection != name.Collection || list[0].Ref != name.Ref || list[0].Checksum != sum.String() {
			t.Errorf("%s: %v", path, list)
		}
		if _, err := repo.ReadFile("summary", 1<<20); err != nil {
			t.Error(err)
		}
		repo.Close()
	}
	own, err := m.Repo("x")
	check(t, err)
	defer own.Close()
	if err := do(own, "x", name); !errors.Is(err, ErrSource) {
		t.Error("into itself:", err)
	}
	if err := do(src, "../y", name); !errors.Is(err, ErrOutside) {
		t.Error("outside:", err)
	}
	if err := do(src, "y", refs.Name{Collection: "bad", Ref: "x"}); err == nil || err.Error() != "Invalid collection ID bad" {
		t.Error("no collection:", err)
	}
	if _, err := os.Lstat(dir + "/y"); err == nil {
		t.Error("something was made for nothing")
	}
}

func grow(t *testing.T, repo *objstore.Repo, name refs.Name) object.Checksum {
	t.Helper()
	tx, err := transaction.Begin(context.Background(), repo)
	check(t, err)
	defer tx.Close()
	c := object.Commit{Metadata: gvariant.NewArray("{sv}")}
	c.RootMeta, err = tx.WriteMetadata(object.KindDirMeta, object.DirMeta{Mode: object.ModeDir | 0o755}.Encode())
	check(t, err)
	c.Root, err = tx.WriteMetadata(object.KindDirTree, object.EncodeDirTree(nil, nil))
	check(t, err)
	sum, err := tx.WriteMetadata(object.KindCommit, c.Encode())
	check(t, err)
	tx.SetRef(name, sum)
	check(t, tx.Commit(context.Background()))
	return sum
}
