package objstore

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"deployfs/objstore/object"
)

// wantRev fails unless rev resolves to want.
func wantRev(t *testing.T, r *Repo, rev string, want object.Checksum) {
	t.Helper()
	if got, err := r.Resolve(rev); err != nil || got != want {
		t.Errorf("%q is %s, %v, want %s", rev, got, err, want)
	}
}

// wantNoRev fails unless resolving rev fails with exactly this text.
func wantNoRev(t *testing.T, r *Repo, rev, want string) {
	t.Helper()
	if got, err := r.Resolve(rev); err == nil || err.Error() != want {
		t.Errorf("%q is %s, %v, want %s", rev, got, err, want)
	}
}

func TestResolveOrder(t *testing.T) {
	b := build(t, "archive")
	first := b.commit("first", object.Checksum{})
	second := b.commit("second", first)
	third := b.commit("third", second)
	b.ref("heads/main", third)
	b.ref("heads/os/x86_64", second)
	b.ref("heads/both", first)
	b.ref("remotes/origin/both", second)
	b.ref("remotes/origin/main", second)
	b.ref("remotes/origin/os/only", first)
	b.ref("remotes/zz/os/only", second)
	b.ref("heads/origin/shadow", first)
	b.ref("remotes/origin/shadow", second)
	prefix := unique(third, first, second)
	b.ref("heads/"+prefix, first)
	b.ref("heads/abcdef0123", second)
	r := b.open()
	absent := strings.Repeat("0", 64)
	wantRev(t, r, third.String(), third)
	wantRev(t, r, absent, object.Checksum{}) // ostree does not look whether it exists
	wantRev(t, r, prefix, third)             // before the ref of this name
	wantRev(t, r, "abcdef0123", second)      // no commit starts like this
	wantRev(t, r, "main", third)
	wantRev(t, r, "main^", second)
	wantRev(t, r, "main^^", first)
	wantRev(t, r, prefix+"^", second)
	wantRev(t, r, third.String()+"^^", first)
	wantRev(t, r, "both", first)
	wantRev(t, r, "origin:both", second)
	wantRev(t, r, "origin/both", second)
	wantRev(t, r, "origin/shadow", first) // a local ref before a remote's
	wantRev(t, r, "origin:shadow", second)
	wantRev(t, r, "os/only", first) // the first remote that has it
	wantRev(t, r, "zz:os/only", second)
	wantRev(t, r, "os/x86_64^", first)

	wantNoRev(t, r, "", "Refspec  not unique")
	wantNoRev(t, r, "nope", "Refspec 'nope' not found")
	wantNoRev(t, r, "nope^", "Refspec 'nope' not found")
	wantNoRev(t, r, "origin:os/x86_64", "Refspec 'origin:os/x86_64' not found")
	wantNoRev(t, r, "main/below", "Refspec 'main/below' not found")
	wantNoRev(t, r, "os", "Couldn't open ref 'os': Is a directory")
	wantNoRev(t, r, "main^^^", fmt.Sprintf("Commit %s has no parent", first))
	wantNoRev(t, r, "../heads/main", "Invalid refspec ../heads/main")
	wantNoRev(t, r, "heads/../main", "Invalid refspec heads/../main")
	wantNoRev(t, r, absent+"^", "No such metadata object "+absent+".commit")
	wantNoRev(t, r, strings.ToUpper(third.String())+"^^", "Refspec '"+strings.ToUpper(third.String())+"' not found")
}

// unique is the shortest prefix of one checksum that the others lack.
func unique(sum object.Checksum, others ...object.Checksum) string {
	hex := sum.String()
	for n := 1; ; n++ {
		clash := false
		for _, other := range others {
			clash = clash || strings.HasPrefix(other.String(), hex[:n])
		}
		if !clash {
			return hex[:n]
		}
	}
}

// TestResolvePrefix looks at this repository and its parents, and counts a
// commit that both hold once.
func TestResolvePrefix(t *testing.T) {
	list := chain(t, "archive", "bare")
	empty := list[0].open()
	wantNoRev(t, empty, "", "Invalid refspec ")
	wantNoRev(t, empty, "abc", "Refspec 'abc' not found")
	only := list[0].commit("only", object.Checksum{})
	list[1].commit("only", object.Checksum{})
	r := list[0].open()
	for _, n := range []int{0, 1, 2, 3, 63} {
		wantRev(t, r, only.String()[:n], only)
	}
	for i := range 300 { // until several begin with the same digit
		list[1].commit(fmt.Sprint(i), object.Checksum{})
	}
	_, err := r.Resolve(only.String()[:1])
	var rev *RevError
	if !errors.As(err, &rev) || !rev.Ambiguous || err.Error() != "Refspec "+only.String()[:1]+" not unique" {
		t.Errorf("one of 301 commits: %v", err)
	}
	wantRev(t, r, only.String()[:20], only)
}

// TestRefContent: white space behind the checksum does not matter, all else does,
// and what a ref leads to is never printed as it is.
func TestRefContent(t *testing.T) {
	b := build(t, "archive")
	sum := b.commit("subject", object.Checksum{})
	for _, text := range []string{"%s\n", "%s", "%s\n\n", "%s \t\r\n"} {
		b.write("refs/heads/main", fmt.Appendf(nil, text, sum))
		wantRev(t, b.open(), "main", sum)
	}
	for text, want := range map[string]string{
		"":                              "Invalid rev ",
		"\n":                            "Invalid rev ",
		"junk\n":                        "Invalid rev junk",
		" " + sum.String():              "Invalid rev  " + sum.String(),
		sum.String() + "x":              "Invalid rev " + sum.String() + "x",
		strings.ToUpper(sum.String()):   "Invalid rev " + strings.ToUpper(sum.String()),
		"\x1b[2J\xff" + sum.String():    "Invalid rev ?[2J?" + sum.String(),
		strings.Repeat("long", 1<<20):   "Invalid rev " + strings.Repeat("long", 20),
		sum.String() + "\nsecond line ": "Invalid rev " + sum.String() + "?second line",
	} {
		b.write("refs/heads/main", []byte(text))
		wantNoRev(t, b.open(), "main", want)
	}
}

// TestAliases are followed inside of refs/, and no further.
func TestAliases(t *testing.T) {
	b := build(t, "archive")
	sum := b.commit("subject", object.Checksum{})
	b.ref("heads/a/b", sum)
	b.link("../a/b", "refs/heads/z/alias")
	b.link("z/alias", "refs/heads/twice")
	r := b.open()
	wantRev(t, r, "z/alias", sum)
	wantRev(t, r, "twice", sum)
	secret := b.file("secret")
	b.check(os.WriteFile(secret, []byte("root:x:0:0:secret"), 0o600))
	for name, target := range map[string]string{
		"absolute": secret, "relative": "../../secret", "etc": "/etc/passwd", "magic": "/proc/self/cwd/resolve_test.go",
	} {
		b.link(target, "refs/heads/"+name)
		wantNoRev(t, r, name, "Couldn't open ref '"+name+"': Invalid cross-device link")
	}
	b.link("loop", "refs/heads/loop")
	wantNoRev(t, r, "loop", "Couldn't open ref 'loop': Too many levels of symbolic links")
	b.link("nothing", "refs/heads/dangling")
	wantNoRev(t, r, "dangling", "Refspec 'dangling' not found")
}

// TestNoRefs: commits are found in a repository without any directory for refs, which is not listed as
// if it had none.
func TestNoRefs(t *testing.T) {
	b := build(t, "archive")
	b.check(os.RemoveAll(b.file("refs")))
	r := b.open()
	wantNoRev(t, r, "main", "Refspec 'main' not found")
	if list, err := r.Refs(); err == nil || !strings.Contains(err.Error(), "Listing refs: opendir(refs/remotes): No such file or directory") {
		t.Errorf("refs %v, %v", list, err)
	}
	if list, err := r.MirroredRefs(); err != nil || len(list) > 0 {
		t.Errorf("mirrored refs %v, %v", list, err)
	}
}
