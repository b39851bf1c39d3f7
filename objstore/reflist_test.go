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

// shown is how a list of refs reads: name, alias, the begin of the content.
func shown(list []Ref) []string {
	var lines []string
	for _, ref := range list {
		line := ref.String()
		if ref.Collection != "" {
			line = "(" + ref.Collection + ") " + line
		}
		if ref.Alias != "" {
			line += " -> " + ref.Alias
		}
		lines = append(lines, line+" "+ref.Checksum[:min(4, len(ref.Checksum))])
	}
	return lines
}

func wantRefs(t *testing.T, list []Ref, err error, want ...string) {
	t.Helper()
	if got := shown(list); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestRefs(t *testing.T) {
	b := build(t, "archive")
	sum := b.commit("subject", object.Checksum{})
	hex := sum.String()[:4]
	for _, ref := range []string{
		"heads/main", "heads/a-b", "heads/a/b", "heads/a/c/d", "heads/ü", "heads/.hidden", "heads/a/.rsync", "heads/-x", "heads/with blank",
		"heads/.dir/inner", "remotes/origin/main", "remotes/origin/a/b", "remotes/.bad/main", "remotes/-bad/main",
		"mirrors/\x1b[31m/main", "mirrors/org.example.One/main", "mirrors/org.example.One/a/b", "mirrors/org.Another/main",
	} {
		b.ref(ref, sum)
	}
	b.mkdir("refs/heads/empty/dir")
	b.write("refs/heads/junk", []byte("junk\n"))
	b.write("refs/heads/odd", []byte("\x1b]\n"+strings.Repeat("long", 1000)))
	b.write("refs/remotes/afile", []byte("no directory"))
	b.link("../a/b", "refs/heads/z/alias")
	b.link("main", "refs/heads/same")
	r := b.open()
	list, err := r.Refs()
	wantRefs(t, list, err, "a-b "+hex, "a/b "+hex, "a/c/d "+hex, "junk junk", "main "+hex, "odd ?]?l", "origin:a/b "+hex, "origin:main "+hex,
		"same -> main "+hex, "z/alias -> a/b "+hex, "ü "+hex)
	for _, ref := range list {
		if len(ref.Checksum) > maxShownRef {
			t.Errorf("%s has %d bytes", ref, len(ref.Checksum))
		}
	}
	list, err = r.MirroredRefs()
	wantRefs(t, list, err, "(org.Another) main "+hex, "(org.example.One) a/b "+hex, "(org.example.One) main "+hex)
	for _, ref := range list {
		if ref.Checksum != sum.String() {
			t.Errorf("%s has %s", ref.String(), ref.Checksum)
		}
	}
}

// TestRefsOutside: a link out of the repository ends the list, as a dangling one
// does with ostree, and shows nothing of what it leads to; it can be listed by
// itself, and deleted.
func TestRefsOutside(t *testing.T) {
	for what, target := range map[string]string{"outside": "../../../outside", "dangling": "nothing", "itself": "link"} {
		b := build(t, "archive")
		b.check(os.WriteFile(b.file("../outside"), []byte("a secret"), 0o600))
		b.link(target, "refs/heads/link")
		r := b.open()
		list, err := r.Refs()
		if err == nil || !strings.HasPrefix(err.Error(), "Listing refs: link: ") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, %v", what, list, err)
		}
		list, err = r.StoredRefs()
		wantRefs(t, list, err, "link -> "+target+" ")
		b.check(r.DeleteRef(refs.Name{Ref: "link"}))
		list, err = r.Refs()
		wantRefs(t, list, err)
	}
	b := build(t, "archive")
	b.check(os.RemoveAll(b.file("refs/heads")))
	b.link(t.TempDir(), "refs/heads")
	if list, err := b.open().Refs(); err != nil || len(list) > 0 {
		t.Errorf("a link instead of refs/heads: %v, %v", list, err)
	}
}

// TestLinkedRefs: no directory that refs are in may be a link, as what it leads to
// may look like one.
func TestLinkedRefs(t *testing.T) {
	for _, dir := range []string{"refs", "refs/heads", "refs/remotes", "refs/remotes/far", "refs/mirrors", "refs/mirrors/org.example.X"} {
		b := build(t, "archive")
		sum := b.commit("subject", object.Checksum{})
		for _, name := range []string{"heads/main", "heads/dir/main", "remotes/far/main", "mirrors/org.example.X/main"} {
			b.ref(name, sum)
		}
		outside := t.TempDir()
		for _, name := range []string{"heads/secret", "far/secret", "org.example.X/secret", "secret", "remotes/far/secret"} {
			b.check(os.MkdirAll(filepath.Dir(filepath.Join(outside, name)), 0o755))
			b.check(os.WriteFile(filepath.Join(outside, name), []byte("a secret"), 0o600))
		}
		b.check(os.RemoveAll(b.file(dir)))
		b.link(outside, dir)
		r := b.open()
		local, _ := r.Refs()
		mirrored, _ := r.MirroredRefs()
		for _, ref := range append(local, mirrored...) {
			if ref.Checksum != sum.String() {
				t.Errorf("%s is a link: %s is %q", dir, ref, ref.Checksum)
			}
		}
		for _, rev := range []string{"secret", "far:secret", "far/secret", "heads/secret"} {
			if found, err := r.Resolve(rev); err == nil || strings.Contains(err.Error(), "a secret") {
				t.Errorf("%s is a link: %s is %s, %v", dir, rev, found, err)
			}
		}
	}
}

// TestDirectoryLinks: a link to a directory of refs is no way in.
func TestDirectoryLinks(t *testing.T) {
	b := build(t, "archive")
	sum := b.commit("subject", object.Checksum{})
	b.ref("heads/dir/main", sum)
	b.link(".", "refs/heads/dir/loop")
	if list, err := b.open().Refs(); err == nil {
		t.Errorf("listed %q", shown(list))
	}
}

func TestDeepRefs(t *testing.T) {
	for depth, ok := range map[int]bool{maxRefDepth - 1: true, maxRefDepth + 1: false} {
		b := build(t, "archive")
		name := strings.Repeat("d/", depth) + "ref"
		b.ref("heads/"+name, object.Checksum{1})
		list, err := b.open().Refs()
		if (err == nil) != ok || ok && (len(list) != 1 || list[0].Ref != name) {
			t.Errorf("%d directories: %d refs, %v", depth, len(list), err)
		}
	}
}
