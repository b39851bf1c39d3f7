package index

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

func TestMake(t *testing.T) {
	b := newBed(t, 0o755)
	if b.opens(b.root) {
		t.Error("there is one already")
	}
	b.make(b.root)
	first := stat(t, b.file(b.root))
	b.make(b.root)
	if again := stat(t, b.file(b.root)); again.Ino != first.Ino {
		t.Error("it was made twice")
	}
	m, err := b.store().Open(b.root)
	b.check(err)
	memory := newMemory()
	memory.add(b.model)
	memory.sums[b.model] = b.root
	memory.check(t, m.Index, b.model)
	if m.Size() != int(first.Size) {
		t.Errorf("%d bytes, want %d", m.Size(), first.Size)
	}
	if found, err := b.store().Drop(b.root); !found || err != nil {
		t.Errorf("drop: %v, %v", found, err)
	}
	memory.check(t, m.Index, b.model) // what is open stays
	b.check(m.Close())
	if found, err := b.store().Drop(b.root); found || err != nil {
		t.Errorf("drop again: %v, %v", found, err)
	}
	if names, _ := os.ReadDir(b.folder()); b.opens(b.root) || len(names) != 0 || exists(b.cache) {
		t.Errorf("after drop there is %v", names)
	}
}

// TestTotals reads a header alone: of nothing else than an index it tells nothing.
func TestTotals(t *testing.T) {
	b := newBed(t, 0o755)
	want := func(what string, files, bytes uint64) {
		t.Helper()
		if f, n := b.store().Totals(b.root); f != files || n != bytes {
			t.Errorf("%s: %d files of %d bytes, want %d of %d", what, f, n, files, bytes)
		}
	}
	want("none", 0, 0)
	b.make(b.root)
	want("index", 3, 5+0+9)
	good, err := os.ReadFile(b.file(b.root))
	b.check(err)
	for _, n := range []int{0, 10, headerSize - 1} {
		b.replace(b.file(b.root), good[:n])
		want("cut", 0, 0)
	}
	good[atVersion]++
	b.replace(b.file(b.root), good)
	want("foreign version", 0, 0)
	b.check(os.Remove(b.file(b.root)))
	b.check(unix.Mkfifo(b.file(b.root), 0o644))
	want("fifo", 0, 0)
}

// TestMakeFails leaves nothing behind.
func TestMakeFails(t *testing.T) {
	b := newBed(t, 0o755)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.store().Make(ctx, b.repo, b.root); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	absent := Root{Tree: object.Checksum{1}, Meta: b.root.Meta}
	if _, err := b.store().Make(context.Background(), b.repo, absent); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no root: %v", err)
	}
	if names, _ := os.ReadDir(b.folder()); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

// TestPermissions: what is made is as open as the repository, and nobody but its
// owner can write to it, whatever the umask.
func TestPermissions(t *testing.T) {
	for _, c := range []struct{ repo, folder, file uint32 }{
		{0o755, 0o755, 0o444}, {0o700, 0o700, 0o400}, {0o750, 0o750, 0o440}, {0o775, 0o755, 0o444}, {0o777, 0o755, 0o444}, {0o711, 0o711, 0o400},
	} {
		for _, mask := range []int{0, 0o022, 0o077} {
			b := newBed(t, os.FileMode(c.repo))
			before := unix.Umask(mask)
			b.make(b.root)
			unix.Umask(before)
			for path, want := range map[string]uint32{b.path + "/deployfs": c.folder, b.folder(): c.folder, b.file(b.root): c.file} {
				if st := stat(t, path); st.Mode&0o7777 != want || int(st.Uid) != os.Geteuid() {
					t.Errorf("repository %o, umask %03o: %s has mode %o of user %d, want %o", c.repo, mask, filepath.Base(path), st.Mode&0o7777, st.Uid, want)
				}
			}
			if !b.opens(b.root) {
				t.Errorf("repository %o: it is not found", c.repo)
			}
		}
	}
}

// TestPermissionsOfAll: who may not read objects, or a parent's, may not read
// the index either.
func TestPermissionsOfAll(t *testing.T) {
	for what, c := range map[string]struct {
		objects, parent, parents os.FileMode // of the repository's objects, the parent, the parent's objects
		group                    string      // what has another group
		folder, file             uint32
	}{
		"all open":                  {0o755, 0o755, 0o755, "", 0o755, 0o444},
		"closed objects":            {0o700, 0o755, 0o755, "", 0o700, 0o400},
		"closed parent":             {0o755, 0o700, 0o755, "", 0o700, 0o400},
		"closed parent's objects":   {0o755, 0o755, 0o700, "", 0o700, 0o400},
		"parent of a group":         {0o755, 0o750, 0o755, "", 0o750, 0o440},
		"group and others":          {0o705, 0o750, 0o755, "", 0o700, 0o400},
		"not to be listed":          {0o711, 0o755, 0o755, "", 0o711, 0o400},
		"written by all":            {0o777, 0o777, 0o777, "", 0o755, 0o444},
		"parent of another group":   {0o755, 0o750, 0o755, "parent", 0o700, 0o400},
		"objects of another group":  {0o750, 0o755, 0o755, "objects", 0o700, 0o400},
		"closed to another group":   {0o705, 0o755, 0o755, "objects", 0o700, 0o400},
		"another group, but open":   {0o755, 0o755, 0o755, "objects", 0o755, 0o444},
		"parent's of another group": {0o755, 0o755, 0o750, "parent's objects", 0o700, 0o400},
	} {
		t.Run(what, func(t *testing.T) {
			parent, b := newBed(t, 0o755), newBed(t, 0o755)
			b.write("config", "[core]\nrepo_version=1\nmode=bare-user-only\nparent="+parent.path+"\n", 0o644)
			b.open()
			for name, dir := range map[string]struct {
				path string
				perm os.FileMode
			}{"objects": {b.path + "/objects", c.objects}, "parent": {parent.path, c.parent}, "parent's objects": {parent.path + "/objects", c.parents}} {
				if name == c.group {
					needRoot(t)
					b.check(os.Chown(dir.path, -1, another))
				}
				b.check(os.Chmod(dir.path, dir.perm))
			}
			b.make(b.root)
			for path, want := range map[string]uint32{b.path + "/deployfs": c.folder, b.folder(): c.folder, b.file(b.root): c.file} {
				if st := stat(t, path); st.Mode&0o7777 != want {
					t.Errorf("%s has mode %o, want %o", filepath.Base(path), st.Mode&0o7777, want)
				}
			}
			if !b.opens(b.root) {
				t.Error("it is not found")
			}
		})
	}
}

// TestUseless: what is no index of this tree in this repository is dropped and
// made anew.
func TestUseless(t *testing.T) {
	b := newBed(t, 0o755)
	other := b.add(newFolder(map[string]any{"other": regular(0o644, 3)}))
	b.make(b.root)
	b.make(other)
	good, err := os.ReadFile(b.file(b.root))
	b.check(err)
	foreign, err := os.ReadFile(b.file(other))
	b.check(err)
	flavoured, err := Build(context.Background(), b.repo, b.root, flavourOf(b.repo)+1)
	b.check(err)
	change := func(f func(data []byte) []byte) []byte { return f(bytes.Clone(good)) }
	for what, data := range map[string][]byte{
		"empty": nil, "one byte": good[:1], "header": good[:headerSize], "cut": good[:len(good)-1], "half": good[:len(good)/2],
		"longer": append(bytes.Clone(good), 0), "zeroes": make([]byte, len(good)), "junk": []byte("junk"),
		"flipped":         change(func(data []byte) []byte { data[len(data)/2] ^= 4; return data }),
		"version 0":       change(func(data []byte) []byte { data[atVersion] = 0; return fix(data) }),
		"next version":    change(func(data []byte) []byte { data[atVersion]++; return fix(data) }),
		"foreign root":    foreign,
		"foreign meta":    change(func(data []byte) []byte { data[atRootMeta+31] ^= 1; return fix(data) }),
		"foreign flavour": flavoured,
	} {
		b.replace(b.file(b.root), data)
		if b.opens(b.root) {
			t.Errorf("%s: it is used", what)
		}
		if exists(b.file(b.root)) {
			t.Errorf("%s: it is kept", what)
		}
		b.replace(b.file(b.root), data)
		b.make(b.root)
		if again, err := os.ReadFile(b.file(b.root)); err != nil || !bytes.Equal(again, good) {
			t.Errorf("%s: made anew it is another, %v", what, err)
		}
	}
	for what, put := range map[string]func(path string) error{
		"fifo":             func(path string) error { return unix.Mkfifo(path, 0o644) },
		"socket":           func(path string) error { return unix.Mknod(path, unix.S_IFSOCK|0o644, 0) },
		"directory":        func(path string) error { return os.Mkdir(path, 0o755) },
		"open directory":   func(path string) error { return errors.Join(os.Mkdir(path, 0o755), os.Chmod(path, 0o777)) },
		"filled directory": func(path string) error { return os.MkdirAll(path+"/sub", 0o755) },
		"link to itself":   func(path string) error { return os.Symlink(filepath.Base(path), path) },
	} {
		b.check(os.RemoveAll(b.file(b.root)))
		b.check(put(b.file(b.root)))
		if b.opens(b.root) {
			t.Errorf("%s: it is used", what)
		}
		if m, err := b.store().Make(context.Background(), b.repo, b.root); err != nil {
			t.Errorf("%s: %v", what, err)
		} else {
			m.Close()
		}
	}
	if !b.opens(other) {
		t.Error("the other tree's is gone")
	}
}

// replace puts data in place of a file.
func (b *bed) replace(path string, data []byte) {
	b.t.Helper()
	os.Remove(path)
	b.check(os.WriteFile(path, data, 0o444))
}

// TestTwoMakers do not disturb each other.
func TestTwoMakers(t *testing.T) {
	for what, before := range map[string]func(b *bed, good []byte){
		"none": func(b *bed, _ []byte) { os.Remove(b.file(b.root)) },
		"damaged": func(b *bed, good []byte) {
			b.replace(b.file(b.root), append(bytes.Clone(good), make([]byte, 4<<20)...))
		},
	} {
		t.Run(what, func(t *testing.T) {
			b := newBed(t, 0o755)
			b.make(b.root)
			good, err := os.ReadFile(b.file(b.root))
			b.check(err)
			for range 10 {
				before(b, good)
				var all sync.WaitGroup
				for i := range 4 {
					store := b.store()
					all.Go(func() {
						time.Sleep(time.Duration(i) * 3 * time.Millisecond)
						m, err := store.Make(context.Background(), b.repo, b.root)
						if err != nil {
							t.Error(err)
							return
						}
						if m.Root() != b.root {
							t.Errorf("an index of %v", m.Root())
						}
						m.Close()
					})
				}
				all.Wait()
				if names, _ := os.ReadDir(b.folder()); !b.opens(b.root) || len(names) != 1 {
					t.Errorf("there is %v", names)
				}
			}
		})
	}
}

// TestReplacedMeanwhile puts an index in place of a damaged one that another is
// still looking at: it stays.
func TestReplacedMeanwhile(t *testing.T) {
	b := newBed(t, 0o755)
	b.make(b.root)
	good, err := os.ReadFile(b.file(b.root))
	b.check(err)
	for range 5 {
		b.replace(b.file(b.root), good)
		b.check(os.Truncate(b.file(b.root), 64<<20)) // takes long to find out
		other := b.folder() + "/other"
		b.replace(other, good)
		store, looked := b.store(), make(chan struct{})
		go func() {
			defer close(looked)
			if m, err := store.Open(b.root); err == nil {
				m.Close()
			}
		}()
		time.Sleep(5 * time.Millisecond)
		b.check(b.store().own.replace("other", fileName(b.root)))
		<-looked
		if !b.opens(b.root) {
			t.Fatal("a good index is gone")
		}
	}
}

// TestSweep removes what is left of interrupted writes and of pruned trees, and
// nothing else.
func TestSweep(t *testing.T) {
	b := newBed(t, 0o755)
	pruned := b.add(newFolder(map[string]any{"old": regular(0o644, 3)}))
	kept := b.add(newFolder(map[string]any{"kept": regular(0o644, 3)}))
	b.make(pruned)
	b.make(kept)
	for name, age := range map[string]time.Duration{".1-2.new": 2 * time.Hour, ".3-4.new": 0, ".5-6.old": 2 * time.Hour, "notes": 2 * time.Hour} {
		b.check(os.WriteFile(b.folder()+"/"+name, []byte("x"), 0o600))
		when := time.Now().Add(-age)
		b.check(os.Chtimes(b.folder()+"/"+name, when, when))
	}
	b.check(os.Remove(b.path + "/" + objectFile(object.Name{Checksum: pruned.Tree, Kind: object.KindDirTree})))
	b.make(b.root)
	for path, want := range map[string]bool{
		b.file(pruned): false, b.file(kept): true, b.file(b.root): true, b.folder() + "/.1-2.new": false,
		b.folder() + "/.3-4.new": true, b.folder() + "/.5-6.old": true, b.folder() + "/notes": true,
	} {
		if exists(path) != want {
			t.Errorf("%s exists: %v", filepath.Base(path), !want)
		}
	}
}

// TestParents: what a parent repository holds is not pruned, and a repository
// with another parent is another.
func TestParents(t *testing.T) {
	parent, b := newBed(t, 0o755), newBed(t, 0o755)
	root := parent.add(newFolder(map[string]any{"parents": regular(0o644, 3)}))
	b.write("config", "[core]\nrepo_version=1\nmode=bare-user-only\nparent="+parent.path+"\n", 0o644)
	alone := flavourOf(b.repo)
	b.open()
	if flavourOf(b.repo) == alone {
		t.Error("a parent makes no difference")
	}
	b.make(root)
	b.make(b.root) // sweeps
	if !b.opens(root) || exists(parent.path+"/deployfs") {
		t.Error("the index of a parent's tree is not in the repository that was asked")
	}
}
