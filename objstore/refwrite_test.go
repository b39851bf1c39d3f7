package objstore

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

var (
	sumOne = object.Checksum{1}
	sumTwo = object.Checksum{2}
)

func local(ref string) refs.Name { return refs.Name{Ref: ref} }

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if got := errorText(err); got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// buildWritable makes an empty repository that refs can be written to.
func buildWritable(t testing.TB, lines ...string) *builder {
	b := build(t, "archive", lines...)
	b.mkdir("tmp")
	return b
}

func (b *builder) wantFile(path, want string) {
	b.t.Helper()
	data, err := os.ReadFile(b.file(path))
	if string(data) != want {
		b.t.Errorf("%s: %q, %v, want %q", path, data, err, want)
	}
}

// wantTidy fails where something is left in tmp/.
func (b *builder) wantTidy() {
	b.t.Helper()
	if left, err := os.ReadDir(b.file("tmp")); err != nil || len(left) > 0 {
		b.t.Errorf("left in tmp: %v, %v", left, err)
	}
}

func TestSetRef(t *testing.T) {
	b := buildWritable(t, "collection-id=org.example.Own")
	r := b.open()
	for _, c := range []struct {
		name refs.Name
		file string
	}{
		{local("main"), "heads/main"},
		{local("os/x86/main"), "heads/os/x86/main"},
		{refs.Name{Remote: "origin", Ref: "a/b"}, "remotes/origin/a/b"},
		{refs.Name{Collection: "org.example.Other", Ref: "a/b"}, "mirrors/org.example.Other/a/b"},
		{refs.Name{Collection: "org.example.Own", Ref: "own"}, "heads/own"},
	} {
		for _, sum := range []object.Checksum{sumOne, sumTwo, sumTwo} {
			b.check(r.SetRef(c.name, sum))
			b.wantFile("refs/"+c.file, sum.String()+"\n")
		}
		st, err := os.Stat(b.file("refs/" + c.file))
		if err != nil || st.Mode() != 0o644 {
			t.Errorf("%s: %v, %v", c.file, st, err)
		}
		b.check(r.DeleteRef(c.name))
		if _, err := os.Stat(b.file("refs/" + c.file)); err == nil {
			t.Errorf("%s was not deleted", c.file)
		}
		b.check(r.DeleteRef(c.name))
	}
	b.check(r.DeleteRef(refs.Name{Remote: "nowhere", Ref: "a/b"}))
	b.wantTidy()
}

func TestSetRefRefused(t *testing.T) {
	b := buildWritable(t)
	r := b.open()
	b.check(r.SetRef(local("x/b/c"), sumOne))
	for _, c := range []struct {
		name refs.Name
		err  string
	}{
		{local("x/b"), "Conflict: c exists under x/b when attempting write"},
		{local("x"), "Conflict: b/c exists under x when attempting write"},
		{local("x/b/c/d"), "openat(refs/heads/x/b/c/d): Not a directory"},
		{local("../x"), "Invalid ref name ../x"},
		{local(""), "Invalid ref name "},
		{local(sumOne.String()), "Rev name '" + sumOne.String() + "' looks like a checksum"},
		{refs.Name{Remote: "..", Ref: "x"}, "Invalid remote name .."},
		{refs.Name{Collection: "org", Ref: "x"}, "Invalid collection ID org"},
	} {
		wantError(t, r.SetRef(c.name, sumTwo), c.err)
	}
	b.wantFile("refs/heads/x/b/c", sumOne.String()+"\n")
	b.wantTidy()
}

// TestSetRefInWay: directories without refs give way, with what is no ref in them.
func TestSetRefInWay(t *testing.T) {
	b := buildWritable(t)
	r := b.open()
	b.mkdir("refs/heads/x/y/z")
	b.write("refs/heads/x/.rsync_info", nil)
	b.check(r.SetRef(local("x"), sumOne))
	b.wantFile("refs/heads/x", sumOne.String()+"\n")
	b.mkdir("refs/heads/keep/.git")
	if err := r.SetRef(local("keep"), sumOne); err == nil {
		t.Error("a hidden directory was removed")
	}
	b.wantTidy()
}

// TestSetRefOutside: symbolic links are replaced, never followed.
func TestSetRefOutside(t *testing.T) {
	b := buildWritable(t)
	outside := t.TempDir()
	b.link(outside, "refs/heads/dir")
	b.link(filepath.Join(outside, "file"), "refs/heads/file")
	b.link(outside, "refs/remotes/origin")
	r := b.open()
	b.check(r.SetRef(local("file"), sumOne))
	b.wantFile("refs/heads/file", sumOne.String()+"\n")
	for _, name := range []refs.Name{local("dir/x"), {Remote: "origin", Ref: "x"}} {
		if err := r.SetRef(name, sumOne); err == nil || !strings.Contains(err.Error(), "openat(refs/") {
			t.Errorf("%s: %v", name, err)
		}
		if err := r.DeleteRef(name); err == nil {
			t.Errorf("%s was deleted", name)
		}
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("written outside: %v", left)
	}
}

func TestSetAlias(t *testing.T) {
	b := buildWritable(t)
	r := b.open()
	b.check(r.SetRef(local("a/b"), sumOne))
	b.check(r.SetAlias(local("z/y/alias"), local("a/b")))
	b.check(r.SetAlias(local("again"), local("z/y/alias")))
	if to, err := os.Readlink(b.file("refs/heads/z/y/alias")); to != "../../a/b" {
		t.Errorf("%q, %v", to, err)
	}
	sum, err := r.Resolve("again")
	if err != nil || sum != sumOne {
		t.Error(sum, err)
	}
	wantError(t, r.DeleteRef(local("a/b")), "Ref 'a/b' has an active alias: 'z/y/alias'")
	wantError(t, r.DeleteRef(local("z/y/alias")), "Ref 'z/y/alias' has an active alias: 'again'")
	wantError(t, r.SetAlias(local("a/b"), local("again")), "Cannot create alias to itself: a/b")
	wantError(t, r.SetAlias(local("x"), local("x")), "Cannot create alias to itself: x")
	wantError(t, r.SetAlias(refs.Name{Remote: "o", Ref: "x"}, local("a/b")), "Cannot create alias to remote ref: o")
	wantError(t, r.SetAlias(local("z"), local("a/b")), "Conflict: y/alias exists under z when attempting write")
	b.check(r.SetRef(local("other"), sumTwo))
	b.check(r.SetAlias(local("again"), local("other")))
	b.check(r.DeleteRef(local("z/y/alias")))
	b.check(r.SetAlias(local("a/b"), local("other")))
	b.wantTidy()
}

// TestDeleteRefs: refs go together with their aliases, or not at all.
func TestDeleteRefs(t *testing.T) {
	b := buildWritable(t)
	r := b.open()
	all := []refs.Name{local("a"), local("b/c"), local("b/d"), local("z/one"), local("z/two"), local("self")}
	b.check(r.SetRef(all[0], sumOne))
	b.check(r.SetRef(all[1], sumOne))
	b.check(r.SetRef(all[2], sumOne))
	b.check(r.SetAlias(all[3], all[0]))
	b.check(r.SetAlias(all[4], all[3]))
	b.link("self", "refs/heads/self")
	wantError(t, r.DeleteRefs(all[1], all[3], all[0]), "Ref 'z/one' has an active alias: 'z/two'")
	wantError(t, r.DeleteRefs(all[1], local("../x")), "Invalid ref name ../x")
	wantError(t, r.CheckUnaliased(all[1], all[0]), "Ref 'a' has an active alias: 'z/one'")
	b.wantFile("refs/heads/b/c", sumOne.String()+"\n")
	links, err := r.aliases(all)
	b.check(err)
	order, err := r.deletionOrder(all, links)
	b.check(err)
	want := []string{"refs/heads/z/two", "refs/heads/z/one", "refs/heads/a", "refs/heads/b/c", "refs/heads/b/d", "refs/heads/self"}
	if !slices.Equal(order, want) {
		t.Errorf("order %q, want %q", order, want)
	}
	b.check(r.DeleteRefs(all...))
	if left, err := r.Refs(); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
	b.check(r.DeleteRefs(all...))
	b.check(r.DeleteRefs())
}
