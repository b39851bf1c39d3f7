package tests

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// TestJudge checks the judge: what a commit and a checkout by ostree keep is seen as the same tree,
// and each kind of change is seen as a difference.
func TestJudge(t *testing.T) {
	for _, mode := range []string{"archive", "bare", "bare-user", "bare-split-xattrs"} {
		t.Run(mode, func(t *testing.T) {
			want := snapshot(t, forest(t, "traps"))
			for _, name := range []string{"xattrs/file", "xattrs/dir"} {
				delete(want[name].xattrs, "user.empty") // dropped by ostree
			}
			same(t, want, checkedOut(t, sharedRepo(t, mode, "traps"), "traps"))
		})
	}
}

func TestJudgeSeesChanges(t *testing.T) {
	needRoot(t)
	grow := func() *plot {
		p := &plot{root: scratch(t)}
		p.text("f", "one")
		p.link("l", "target")
		p.dir("d")
		return p
	}
	for what, change := range map[string]func(p *plot){
		"mode":    func(p *plot) { p.mode("f", 0o4644) },
		"owner":   func(p *plot) { p.owner("l", 0, 7) },
		"bytes":   func(p *plot) { p.text("f", "two") },
		"size":    func(p *plot) { p.text("f", "one.") },
		"xattr":   func(p *plot) { p.xattr("d", "user.a", "b") },
		"extra":   func(p *plot) { p.text("d/new", "") },
		"missing": func(p *plot) { p.do("d", func() error { return unix.Rmdir(p.path("d")) }) },
		"target": func(p *plot) {
			p.do("l", func() error { return unix.Unlink(p.path("l")) })
			p.link("l", "tarGet")
		},
	} {
		p := grow()
		before := snapshot(t, p.root)
		if change(p); p.err != nil {
			t.Fatal(p.err)
		}
		if diffs := differences(before, snapshot(t, p.root)); len(diffs) == 0 {
			t.Errorf("%s: no difference seen", what)
		}
	}
}

// checkedOut checks a commit out with the real ostree, as root, and returns what the commit says of
// it. Two things that a checkout adds are undone: where ostree copies a file, that file inherits the
// default ACL of its directory; and one from bare-user-only makes every file readable by its owner.
func checkedOut(t testing.TB, repo, rev string, options ...string) map[string]entry {
	t.Helper()
	dir := scratch(t) + "/checkout"
	ostree(t, repo, append(append([]string{"checkout"}, options...), rev, dir)...)
	tree := snapshot(t, dir)
	delete(tree["acl/dir/inside"].xattrs, aclAccess)
	if ostree(t, repo, "config", "get", "core.mode") == "bare-user-only" {
		for _, m := range modes {
			name := fmt.Sprintf("modes/file-%04o", m)
			if e, ok := tree[name]; ok && m&0o400 == 0 {
				e.mode &^= 0o400
				tree[name] = e
			}
		}
	}
	return tree
}
