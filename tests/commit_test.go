package tests

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// commitModes are the modes that ostree writes.
var commitModes = []string{"archive", "bare", "bare-user", "bare-user-only"}

// commitFiles are what command lines of commits name.
var commitFiles = map[string]string{
	"over/sub/new":  "new\n",
	"over/top":      "changed\n",
	"stat":          "+512 /sub\n=448 /sub/deep\n+1 /top\n=420 /sub/suid\n+8 /\n",
	"stat-unmet":    "+1 /top\n+512 /nowhere\n=1 /nor here\n",
	"stat-bad":      "512\n",
	"skip":          "/sub/deep\n/link\n\n",
	"skip-unmet":    "/top\n# no comment\n",
	"clash/dir/sub": "a file where a directory is\n",
	"message":       "one\n\ntwo\n",
	"kernel/a/b":    "no kernel\n",
	"boot/usr/lib/": "",
}

// growCommit is a small tree with all that a commit may hold.
func growCommit(p *plot) {
	p.text("top", "hello\n")
	p.text("empty", "")
	p.dir("sub/deep")
	p.dir("none")
	p.text("sub/suid", "x")
	p.xattr("sub/suid", "user.b", "two")
	p.xattr("sub/suid", "user.a", "one")
	p.owner("sub/suid", 12, 34)
	p.mode("sub/suid", 0o4755)
	p.xattr("sub", "user.dir", "d")
	p.xattr("top", "user.none", "")
	p.xattr("top", "trusted.t", "t")
	p.text("sub/deep/ключ", strings.Repeat("all work and no play ", 50))
	p.file("sub/large", make([]byte, 300<<10))
	p.link("link", "/no/where")
	p.owner("link", 7, 8)
	p.xattr("link", "trusted.l", "l")
	p.mode("none", 0o1777)
	p.mode("sub/deep", 0o2775)
	p.mode("empty", 0)
}

// commitPlace is a directory with the tree "src" and what else command lines name.
func commitPlace(t *testing.T) string {
	t.Helper()
	needRoot(t)
	dir := scratch(t)
	p := &plot{root: filepath.Join(dir, "src")}
	p.dir(".")
	growCommit(p)
	files := &plot{root: dir}
	for name, text := range commitFiles {
		files.dir(filepath.Dir(name))
		if !strings.HasSuffix(name, "/") {
			files.text(name, text)
		}
	}
	if p.err != nil || files.err != nil {
		t.Fatal(p.err, files.err)
	}
	return dir
}

// rivals are two repositories of one mode, in both of which the real program has
// committed src and over, and the directory in which both programs run.
type rivals struct{ dir, real, ours string }

func newRivals(t *testing.T, mode string) rivals {
	t.Helper()
	r := rivals{dir: commitPlace(t)}
	r.real, r.ours = newRepo(t, mode), newRepo(t, mode)
	for _, repo := range []string{r.real, r.ours} {
		commit(t, repo, "src", r.dir+"/src", "--bind-ref=more")
		commit(t, repo, "over", r.dir+"/over")
	}
	return r
}

// commit runs both programs with the same arguments, and compares all that they say.
func (r rivals) commit(t *testing.T, args ...string) {
	t.Helper()
	r.compare(t, args, args)
}

// each does so where each has its own directory called name, beside its repository.
func (r rivals) each(t *testing.T, args []string, name string) {
	t.Helper()
	r.compare(t, append(args[:len(args):len(args)], filepath.Dir(r.real)+"/"+name), append(args[:len(args):len(args)], filepath.Dir(r.ours)+"/"+name))
}

func (r rivals) compare(t *testing.T, forReal, forOurs []string) {
	t.Helper()
	args := []string{"commit", "--timestamp=@1700000000"}
	want := command{args: slices.Concat([]string{"ostree", "--repo=" + r.real}, args, forReal), dir: r.dir}.run(t)
	got := command{args: slices.Concat([]string{binary(t, "deployfs"), "--repo=" + r.ours}, args, forOurs), dir: r.dir}.run(t)
	got.err, _, _ = strings.Cut(got.err, "hint: ")
	if got.out != want.out || got.err != want.err || got.code != want.code {
		t.Errorf("%s\nprints %q, %q, exit %d,\nwant   %q, %q, exit %d",
			strings.Join(forOurs, " "), got.out, got.err, got.code, want.out, want.err, want.code)
	}
}

// TestCommitIsOstrees: the same input gives the same commit, whoever makes it.
func TestCommitIsOstrees(t *testing.T) {
	t.Parallel()
	for _, mode := range commitModes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r := newRivals(t, mode)
			for _, line := range []string{
				"--orphan --table-output src",
				"-b b -s subject -m body src",
				"-b b -s again -F message --fsync=true --disable-fsync src",
				"-b b --table-output --skip-if-unchanged --fsync=no src -b c/d --bind-ref=z --bind-ref=a",
				"-b src --skip-if-unchanged src",
				"-b src --parent=none --keep-metadata=x src",
				"-b src --keep-metadata=ostree.ref-binding --no-bindings src",
				"--orphan --no-bindings --no-xattrs src",
				"--orphan --canonical-permissions --table-output src",
				"--orphan --owner-uid=5 --owner-gid=0x6 src",
				"--orphan --mode-ro-executables src",
				"--orphan --statoverride=stat src",
				"--orphan --statoverride=stat-unmet src",
				"--orphan --skip-list=skip src",
				"--orphan --skip-list=skip-unmet src",
				"--orphan --canonical-permissions --statoverride=stat --skip-list=skip --owner-uid=0 src",
				"--orphan --tree=dir=src --tree=dir=over",
				"--orphan --tree=dir=over --tree=dir=src",
				"--orphan --tree=dir=src --tree=dir=src --skip-list=skip --statoverride=stat",
				"--orphan --table-output --tree=ref=src",
				"--orphan --table-output --tree=ref=src --tree=ref=over",
				"--orphan --table-output --tree=ref=over --tree=dir=src --owner-uid=9",
				"--orphan --tree=ref=src --statoverride=stat --skip-list=skip --no-xattrs",
				"--orphan --table-output --base=src over",
				"--orphan --base=src --tree=ref=over --owner-gid=9",
				"--orphan --base=src --generate-sizes --tree=dir=over",
				"--orphan --link-checkout-speedup --table-output src",
			} {
				r.commit(t, strings.Fields(line)...)
			}
			r.commit(t, "--orphan", "--add-metadata=n=uint64 42", "--add-metadata=l=[('a', 1)]", "--add-metadata-string=a=b=c",
				"--add-metadata=ostree.collection-binding='x.y'", "src")
			ostree(t, r.ours, "fsck")
		})
	}
}

// TestCommitRefusals: what is no commit is none, in the same words.
func TestCommitRefusals(t *testing.T) {
	t.Parallel()
	r := newRivals(t, "archive")
	if err := unix.Mkfifo(r.dir+"/clash/pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(r.dir+"/bad/\xff", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"src",
		"--orphan nowhere",
		"--orphan src/top",
		"--orphan clash",
		"--orphan --tree=src",
		"--orphan --tree=some=src",
		"--orphan --tree=ref=nope",
		"--orphan --tree=tar=nope",
		"--orphan --base=nope src",
		"--orphan --tree=dir=over --tree=dir=boot --statoverride=nope",
		"--orphan --tree=dir=src --tree=dir=boot --skip-list=nope",
		"--orphan --statoverride=stat-bad src",
		"--orphan -F nope src",
		"--orphan --parent=short src",
		"--orphan --keep-metadata=k src",
		"-b src --keep-metadata=k src",
		"--orphan --add-metadata-string=none src",
		"--orphan --add-metadata=none src",
		"--orphan --add-metadata=a=what src",
		"--orphan --add-metadata-string==empty src",
		"--orphan --canonical-permissions --owner-uid=1 src",
		"--orphan --canonical-permissions --owner-gid=1 src",
		"--orphan --owner-uid=x src",
		"--orphan --owner-gid=99999999999 src",
		"--orphan --fsync=perhaps src",
		"--orphan --bootable boot",
		"--orphan --tar-pathname-filter=x --tree=tar=x",
		"-b ../x src",
		"-b src/below over",
		"--orphan --tree=dir=src --tree=dir=clash/dir",
		"--timestamp=once --orphan src",
		"--orphan --base= src",
		"--orphan --parent= src",
		"--orphan --body-file= src",
		"--orphan --skip-list= src",
		"--orphan --statoverride= src",
		"--orphan --tar-pathname-filter= --tree=tar=x",
		"--orphan --selinux-policy= -P --tree=dir=src",
	} {
		r.commit(t, strings.Fields(line)...)
	}
	ostree(t, r.ours, "fsck")
}

// TestCommitLinks: files that are links to objects are known by them, as far as the
// real program trusts them.
func TestCommitLinks(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"bare", "bare-user", "bare-user-only"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r := newRivals(t, mode)
			for _, repo := range []string{r.real, r.ours} {
				out := filepath.Dir(repo) + "/out"
				checkout := []string{"checkout", "src", out}
				if mode != "bare" {
					checkout = append(checkout, "-U")
				}
				ostree(t, repo, checkout...)
				if err := os.WriteFile(out+"/fresh", []byte("fresh\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for _, options := range []string{
				"", "--link-checkout-speedup", "-I", "--link-checkout-speedup --owner-uid=4", "-I --owner-uid=4",
				"-I --skip-list=skip", "--link-checkout-speedup --skip-list=skip", "--link-checkout-speedup --no-xattrs",
				"--link-checkout-speedup --statoverride=stat", "-I --consume",
			} {
				args := append([]string{"--orphan", "--table-output"}, strings.Fields(options)...)
				r.each(t, args, "out")
			}
			if _, err := os.Stat(filepath.Dir(r.ours) + "/out"); !os.IsNotExist(err) {
				t.Errorf("what was consumed is there: %v", err)
			}
			ostree(t, r.ours, "fsck")
		})
	}
}
