package index

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestDistrust: an index that another could have written is not used, and what
// it points to is not touched.
func TestDistrust(t *testing.T) {
	for what, c := range map[string]struct {
		root bool // only root can do it
		do   func(b *bed, outside string) error
	}{
		"file of another":       {true, func(b *bed, _ string) error { return os.Chown(b.file(b.root), another, 0) }},
		"file of a group":       {false, func(b *bed, _ string) error { return os.Chmod(b.file(b.root), 0o464) }},
		"file of all":           {false, func(b *bed, _ string) error { return os.Chmod(b.file(b.root), 0o446) }},
		"file is a link":        {false, func(b *bed, outside string) error { return moveAndLink(b.file(b.root), outside+"/file") }},
		"index of another":      {true, func(b *bed, _ string) error { return os.Chown(b.folder(), another, 0) }},
		"index of a group":      {false, func(b *bed, _ string) error { return os.Chmod(b.folder(), 0o775) }},
		"index of all":          {false, func(b *bed, _ string) error { return os.Chmod(b.folder(), 0o757) }},
		"sticky index of all":   {false, func(b *bed, _ string) error { return os.Chmod(b.folder(), os.ModeSticky|0o777) }},
		"index is a link":       {false, func(b *bed, outside string) error { return moveAndLink(b.folder(), outside+"/index") }},
		"deployfs of another":   {true, func(b *bed, _ string) error { return os.Chown(b.path+"/deployfs", another, 0) }},
		"deployfs of a group":   {false, func(b *bed, _ string) error { return os.Chmod(b.path+"/deployfs", 0o775) }},
		"deployfs of all":       {false, func(b *bed, _ string) error { return os.Chmod(b.path+"/deployfs", 0o777) }},
		"deployfs is a link":    {false, func(b *bed, outside string) error { return moveAndLink(b.path+"/deployfs", outside+"/deployfs") }},
		"deployfs is a file":    {false, func(b *bed, outside string) error { return fileInstead(b.path + "/deployfs") }},
		"index is a file":       {false, func(b *bed, outside string) error { return fileInstead(b.folder()) }},
		"index is a loose link": {false, func(b *bed, outside string) error { os.RemoveAll(b.folder()); return os.Symlink("nowhere", b.folder()) }},
	} {
		t.Run(what, func(t *testing.T) {
			if c.root {
				needRoot(t)
			}
			b, outside := newBed(t, 0o755), t.TempDir()
			b.make(b.root)
			if err := c.do(b, outside); err != nil {
				t.Fatal(err)
			}
			before := listing(t, outside) + listing(t, b.path+"/deployfs")
			if b.opens(b.root) {
				t.Error("it is used")
			}
			b.make(b.root)
			if !b.opens(b.root) {
				t.Error("what was made instead is not used")
			}
			other := b.add(newFolder(map[string]any{"other": regular(0o644, 3)}))
			b.make(other)
			if after := listing(t, outside) + listing(t, b.path+"/deployfs"); exists(b.cache) && after != before {
				t.Errorf("before:\n%safter:\n%s", before, after)
			}
			outsideBefore := listing(t, outside)
			if found, err := b.store().Drop(other); !found || err != nil {
				t.Errorf("drop: %v, %v", found, err)
			}
			if after := listing(t, outside); after != outsideBefore {
				t.Errorf("outside before drop:\n%safter:\n%s", outsideBefore, after)
			}
		})
	}
}

// moveAndLink moves what is at path and leaves a link to it.
func moveAndLink(path, to string) error {
	return errors.Join(os.Rename(path, to), os.Symlink(to, path))
}

func fileInstead(path string) error {
	return errors.Join(os.RemoveAll(path), os.WriteFile(path, []byte("mine"), 0o644))
}

// listing is all that is below a directory.
func listing(t testing.TB, dir string) string {
	t.Helper()
	var text bytes.Buffer
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			data, _ := os.ReadFile(path)
			text.WriteString(path + " " + info.Mode().String() + " " + info.ModTime().String() + " " + string(data[:min(len(data), 8)]) + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// TestRootsIndex: a user believes root, and leaves to root what is root's.
func TestRootsIndex(t *testing.T) {
	needRoot(t)
	b := newBed(t, 0o755)
	mine := b.add(newFolder(map[string]any{"mine": regular(0o644, 3)}))
	b.make(b.root)
	b.cacheOfUser()
	asUser(t, func() {
		before := listing(t, b.path)
		if !b.opens(b.root) {
			t.Error("root's index is not used")
		}
		b.make(b.root)
		if names, _ := filepath.Glob(b.cache + "/index/*/*.index"); len(names) != 0 {
			t.Errorf("beside root's there is %v", names)
		}
		b.make(mine)
		if names, _ := filepath.Glob(b.cache + "/index/*/*.index"); len(names) != 1 || !b.opens(mine) {
			t.Errorf("in the cache there is %v", names)
		}
		if found, err := b.store().Drop(b.root); found || !errors.Is(err, os.ErrPermission) {
			t.Errorf("drop of root's: %v, %v", found, err)
		}
		if after := listing(t, b.path); after != before {
			t.Errorf("the repository before:\n%safter:\n%s", before, after)
		}
	})
	if !b.opens(b.root) || b.opens(mine) {
		t.Error("root uses other indexes than its own")
	}
}

// cacheOfUser lets a user have a cache.
func (b *bed) cacheOfUser() {
	b.t.Helper()
	home := filepath.Dir(b.path) + "/home"
	b.check(os.Mkdir(home, 0o700))
	b.check(os.Chown(home, another, another))
	b.cache = home + "/cache"
}

// TestUsersIndex: root does not believe a user, and writes nothing of its own
// into a user's repository.
func TestUsersIndex(t *testing.T) {
	needRoot(t)
	b := newBed(t, 0o755)
	err := filepath.Walk(b.path, func(path string, _ os.FileInfo, err error) error {
		return errors.Join(err, os.Lchown(path, another, another))
	})
	b.check(err)
	asUser(t, func() { b.make(b.root) })
	if !exists(b.file(b.root)) {
		t.Fatal("a user's index is not in the user's own repository")
	}
	if st := stat(t, b.file(b.root)); st.Uid != another {
		t.Errorf("it belongs to %d", st.Uid)
	}
	before := listing(t, b.path)
	if b.opens(b.root) {
		t.Error("root uses it")
	}
	b.make(b.root)
	if names, _ := filepath.Glob(b.cache + "/index/*/*.index"); len(names) != 1 || !b.opens(b.root) {
		t.Errorf("in root's cache there is %v", names)
	}
	if after := listing(t, b.path); after != before {
		t.Errorf("the repository before:\n%safter:\n%s", before, after)
	}
}

// TestCacheFolder: each repository has a folder in the cache, which goes when
// the repository is gone.
func TestCacheFolder(t *testing.T) {
	one, two := newBed(t, 0o755), newBed(t, 0o755)
	// A repository whose own folder can't be trusted has its indexes in the cache.
	two.cache = one.cache
	one.check(os.Mkdir(one.cache, 0o755)) // an open cache does not open what is in it
	for _, b := range []*bed{one, two} {
		b.check(os.Mkdir(b.path+"/deployfs", 0o755))
		b.check(os.Chmod(b.path+"/deployfs", 0o777))
		b.make(b.root)
	}
	folders, _ := filepath.Glob(one.cache + "/index/*")
	files, _ := filepath.Glob(one.cache + "/index/*/*.index")
	if len(folders) != 2 || len(files) != 2 || filepath.Dir(files[0]) == filepath.Dir(files[1]) {
		t.Fatalf("in the cache there is %v", files)
	}
	for path, want := range map[string]uint32{one.cache + "/index": 0o700, folders[0]: 0o700, files[0]: 0o400} {
		if st := stat(t, path); st.Mode&0o7777 != want {
			t.Errorf("in the cache %s has mode %o, want %o", path, st.Mode&0o7777, want)
		}
	}
	one.check(os.Symlink(one.path, two.path+"-link"))
	link := *one
	link.path = two.path + "-link"
	link.open()
	if !link.opens(link.root) {
		t.Error("a repository is another one through a link")
	}
	one.check(os.WriteFile(one.cache+"/index/notes", nil, 0o600))
	one.check(os.Mkdir(one.cache+"/index/unknown", 0o700))
	two.check(os.RemoveAll(two.path))
	one.make(one.add(newFolder(map[string]any{"new": regular(0o644, 3)})))
	left, _ := filepath.Glob(one.cache + "/index/*/*.index")
	if len(left) != 2 || filepath.Dir(left[0]) != filepath.Dir(left[1]) || !one.opens(one.root) || !exists(one.cache+"/index/notes") || !exists(one.cache+"/index/unknown") {
		t.Errorf("in the cache there is %v", left)
	}
}

// TestLinkAgain: a link to the repository that could not be made is made later.
func TestLinkAgain(t *testing.T) {
	b := newBed(t, 0o755)
	b.check(os.Mkdir(b.path+"/deployfs", 0o755))
	b.check(os.Chmod(b.path+"/deployfs", 0o777))
	b.make(b.root)
	links, _ := filepath.Glob(b.cache + "/index/*/" + linkName)
	if len(links) != 1 {
		t.Fatalf("links: %v", links)
	}
	b.check(os.Remove(links[0]))
	b.store()
	if !exists(links[0]) {
		t.Error("it is not made later")
	}
}

// TestNowhere has no place to write.
func TestNowhere(t *testing.T) {
	needRoot(t)
	b := newBed(t, 0o755)
	b.check(os.WriteFile(b.cache, nil, 0o644))
	asUser(t, func() {
		for _, b.cache = range []string{b.cache, "/proc/none", ""} {
			if m, err := b.store().Make(context.Background(), b.repo, b.root); !errors.Is(err, ErrNowhere) || m != nil {
				t.Errorf("cache %q: %v", b.cache, err)
			}
			if found, err := b.store().Drop(b.root); found || err != nil {
				t.Errorf("cache %q: drop: %v, %v", b.cache, found, err)
			}
			if b.opens(b.root) {
				t.Errorf("cache %q: there is one", b.cache)
			}
		}
	})
}

// TestUnreadable: a file that may not be read is replaced.
func TestUnreadable(t *testing.T) {
	needRoot(t)
	b := newBed(t, 0o755)
	b.check(os.Chown(b.path, another, another))
	asUser(t, func() {
		b.make(b.root)
		b.check(os.Chmod(b.file(b.root), 0))
		if b.opens(b.root) {
			t.Error("it is used")
		}
		b.make(b.root)
		if !b.opens(b.root) {
			t.Error("it is not replaced")
		}
	})
}

// TestLonelyRepository: in a folder that can't be written root's index is used.
func TestLonelyRepository(t *testing.T) {
	needRoot(t)
	b := newBed(t, 0o555)
	b.make(b.root) // as root may
	b.check(os.Chown(b.path, another, another))
	asUser(t, func() {
		if !b.opens(b.root) {
			t.Error("root's index in a user's repository is not used")
		}
	})
}

// TestForeignLeftovers: what can't be removed from the cache is no reason to
// have no index.
func TestForeignLeftovers(t *testing.T) {
	needRoot(t)
	b := newBed(t, 0o755)
	b.cacheOfUser()
	asUser(t, func() { b.make(b.root) })
	left := b.cache + "/index/0123456789abcdef"
	b.check(os.Mkdir(left, 0o755)) // root's
	b.check(os.Symlink(b.path+"/gone", left+"/repo"))
	other := b.add(newFolder(map[string]any{"other": regular(0o644, 3)}))
	asUser(t, func() {
		m, err := b.store().Make(context.Background(), b.repo, other)
		if err != nil {
			t.Fatal(err)
		}
		m.Close()
	})
}
