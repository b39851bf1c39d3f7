package tests

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// growWounded makes a tree where each entry has objects of its own, so that damage hits it alone.
func growWounded(p *plot) {
	p.dir("tree")
	p.text("tree/inside", "in a directory with its own dirtree\n")
	p.dir("meta")
	p.mode("meta", 0o711)
	p.text("meta/inside", "in a directory with its own dirmeta\n")
	p.dir("good")
	p.text("good/file", "good bytes\n")
	p.text("small", "a small file that is damaged\n")
	p.file("large", noise(8, 3<<20))
	p.file("zeros", make([]byte, 1<<20))
	p.text("xattr", "a file with an xattr\n")
	p.xattr("xattr", "user.a", "value")
	p.link("link", "target of the link")
}

// wounded is a repository that a test may damage, with the tree's entries as they should be.
type wounded struct {
	t    testing.TB
	mode string
	repo string
	want map[string]entry
}

func newWounded(t testing.TB, mode string) wounded {
	t.Helper()
	p := &plot{root: scratch(t)}
	if growWounded(p); p.err != nil {
		t.Fatal(p.err)
	}
	w := wounded{t, mode, newRepo(t, mode), snapshot(t, p.root)}
	commit(t, w.repo, "main", p.root)
	return w
}

// object returns the checksum and the file of the object behind an entry: `meta` stands for its
// dirmeta, `tree` for its dirtree.
func (w wounded) object(name string) (sum, path string) {
	w.t.Helper()
	switch name {
	case "meta":
		sum = dirmetaOf(w.t, w.repo, "main", "/meta")
		return sum, objectPath(w.repo, sum, "dirmeta")
	case "tree":
		_, sum = objectOf(w.t, w.repo, "main", "/tree")
		return sum, objectPath(w.repo, sum, "dirtree")
	}
	_, sum = objectOf(w.t, w.repo, "main", "/"+name)
	return sum, contentPath(w.repo, sum)
}

// flip changes one bit of a file, at a fraction of its length, and keeps all else of it.
func flip(path string, numerator, denominator int) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	i := min(len(data)*numerator/denominator, len(data)-1)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt([]byte{data[i] ^ 0x10}, int64(i))
	return err
}

// injury is a way to damage the object of one entry.
type injury struct {
	name, how string
	do        func(path string) error
}

func injuries(mode string) []injury {
	list := []injury{
		{"tree", "bit", func(path string) error { return flip(path, 1, 2) }},
		{"meta", "bit", func(path string) error { return flip(path, 11, 12) }},
		{"small", "bit near the end", func(path string) error { return flip(path, 9, 10) }},
		{"large", "bit in the middle", func(path string) error { return flip(path, 1, 2) }},
		{"zeros", "cut", func(path string) error { return halve(path) }},
		{"small", "emptied", func(path string) error { return os.Truncate(path, 0) }},
		{"xattr", "removed", os.Remove},
	}
	switch mode {
	case "archive":
		list = append(list, injury{"xattr", "bit of the header", func(path string) error { return flip(path, 18, 1000) }},
			injury{"link", "bit of the target", func(path string) error { return flip(path, 9, 10) }})
	case "bare":
		list = append(list, injury{"small", "mode", func(path string) error { return os.Chmod(path, 0o600) }},
			injury{"small", "owner", func(path string) error { return os.Chown(path, 5, 0) }},
			injury{"xattr", "xattr", func(path string) error { return unix.Setxattr(path, "user.a", []byte("other"), 0) }},
			injury{"xattr", "extra xattr", func(path string) error { return unix.Setxattr(path, "user.b", []byte("x"), 0) }},
			injury{"small", "longer", func(path string) error { return os.Truncate(path, 4096) }},
			injury{"link", "target", func(path string) error { os.Remove(path); return os.Symlink("elsewhere", path) }})
	case "bare-user":
		list = append(list, injury{"link", "bit of the target", func(path string) error { return flip(path, 1, 2) }},
			injury{"small", "attributes", func(path string) error {
				return unix.Setxattr(path, "user.ostreemeta", gvMeta(unix.S_IFREG|0o600), 0)
			}})
	}
	return list
}

func halve(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.Truncate(path, info.Size()/2)
}

// TestDamage injures each kind of object before or after the mount, but before it is first used: the
// entry answers EIO, with one log line, and the others are untouched.
func TestDamage(t *testing.T) {
	for _, mode := range []string{"archive", "bare", "bare-user"} {
		for _, in := range injuries(mode) {
			for i, verify := range []string{"first", "always", "first"} {
				when := []string{"before", "before", "after"}[i]
				t.Run(fmt.Sprintf("%s %s %s %s %s", mode, verify, in.name, in.how, when), func(t *testing.T) {
					damageOne(t, newWounded(t, mode), in, verify, when == "before")
				})
			}
		}
	}
}

func damageOne(t *testing.T, w wounded, in injury, verify string, before bool) {
	sum, path := w.object(in.name)
	damage := func() {
		if err := in.do(path); err != nil {
			t.Fatal(err)
		}
	}
	if before {
		damage()
	}
	f := mountedForeground(t, "--repo="+w.repo, "--cache-dir="+scratch(t), "--verify="+verify, "main")
	if !before {
		damage()
	}
	for range 3 {
		wantErrno(t, in.name, use(f.dir, in.name), unix.EIO)
	}
	if lines := f.logged(sum, "/"+in.name); len(lines) != 1 {
		t.Errorf("want one log line with %s and /%s, got %q", sum, in.name, lines)
	}
	for _, name := range []string{"good/file", "tree/inside", "meta/inside", "small", "large", "zeros", "xattr", "link"} {
		if name == in.name || name == in.name+"/inside" {
			continue
		}
		got, err := readEntry(f.dir + "/" + name)
		if err != nil || got.sum != w.want[name].sum || got.target != w.want[name].target {
			t.Errorf("%s beside a damaged %s: %v", name, in.name, err)
		}
	}
}

// use looks at an entry as far as is needed to meet its object.
func use(dir, name string) error {
	if _, err := readEntry(dir + "/" + name); err != nil || name != "tree" {
		return err
	}
	return listError(dir + "/" + name)
}

// TestDamageWhileInUse injures content after it was read: --verify=always sees it at the next open,
// unless the content was inflated before: then the copy is right, and verified.
func TestDamageWhileInUse(t *testing.T) {
	for _, mode := range []string{"archive", "bare", "bare-user"} {
		w := newWounded(t, mode)
		dir := mounted(t, "--repo="+w.repo, "--cache-dir="+scratch(t), "--verify=always", "main")
		for _, name := range []string{"small", "large", "xattr"} {
			if e, err := readEntry(dir + "/" + name); err != nil || e.sum != w.want[name].sum {
				t.Fatalf("%s: %s before any damage: %v", mode, name, err)
			}
			_, path := w.object(name)
			if err := flip(path, 9, 10); err != nil {
				t.Fatal(err)
			}
			e, err := readEntry(dir + "/" + name)
			if mode != "archive" {
				wantErrno(t, mode+": opening "+name+" again", err, unix.EIO)
			} else if err != nil || e.sum != w.want[name].sum {
				t.Errorf("%s: opening %s again: %v", mode, name, err)
			}
			if err := flip(path, 9, 10); err != nil {
				t.Fatal(err)
			}
			if e, err := readEntry(dir + "/" + name); err != nil || e.sum != w.want[name].sum {
				t.Errorf("%s: %s after the damage was undone: %v", mode, name, err)
			}
		}
	}
}

// TestVerifyNone trusts the repository: damaged bytes of a bare file pass, and nothing crashes.
func TestVerifyNone(t *testing.T) {
	for _, mode := range []string{"archive", "bare", "bare-user"} {
		for _, in := range injuries(mode) {
			w := newWounded(t, mode)
			_, path := w.object(in.name)
			f := mountedForeground(t, "--repo="+w.repo, "--verify=none", "main")
			if err := in.do(path); err != nil {
				t.Fatal(err)
			}
			err := use(f.dir, in.name)
			if err != nil && !errors.Is(err, unix.EIO) {
				t.Errorf("%s %s %s: %v", mode, in.name, in.how, err)
			}
			if in.name == "large" && mode != "archive" {
				stored, _ := os.ReadFile(path)
				if data, err := os.ReadFile(f.dir + "/large"); err != nil || !bytes.Equal(data, stored) {
					t.Errorf("%s: --verify=none does not give the bytes that are there: %v", mode, err)
				}
			}
			if e, err := readEntry(f.dir + "/good/file"); err != nil || e.sum != w.want["good/file"].sum {
				t.Errorf("%s: the good file beside a damaged %s: %v", mode, in.name, err)
			}
			if f.ended() {
				t.Errorf("%s: the server died", mode)
			}
			umounted(t, f.dir)
		}
	}
}
