package tests

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestCheckout compares, entry by entry, what the real program and ours check out of repositories of
// every mode: also which files are links to objects, and what has the time of a link.
func TestCheckout(t *testing.T) {
	t.Parallel()
	for mode, options := range map[string][]string{
		"bare":              {"-H", "-U -M", "-C"},
		"bare-user":         {"", "-U -H", "-U -C"},
		"bare-user-only":    {"-H", "-C"},
		"bare-split-xattrs": {"", "-U"},
		"archive":           {"", "-U", "-U", "-U --disable-cache"},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			repo := sharedRepo(t, mode, "traps")
			if mode == "archive" {
				repo = clone(t, repo) // it gets a cache
			}
			to := scratch(t)
			for i, o := range options {
				dirs := [2]string{fmt.Sprintf("%s/%d-real", to, i), fmt.Sprintf("%s/%d-ours", to, i)}
				for k, program := range []string{"ostree", binary(t, "deployfs")} {
					command{args: append(append([]string{program, "--repo=" + repo, "checkout"}, strings.Fields(o)...), "traps", dirs[k])}.must(t)
				}
				sameCheckout(t, mode+" "+o, repo, dirs[0], dirs[1])
			}
		})
	}
}

// sameCheckout compares two checkouts.
func sameCheckout(t *testing.T, what, repo, real, ours string) {
	t.Helper()
	want, got := snapshot(t, real), snapshot(t, ours)
	same(t, want, got)
	objects := objectInodes(t, repo)
	for name, w := range want {
		g := got[name]
		if (w.mtime == 0) != (g.mtime == 0) {
			t.Errorf("%s: %q: time %d, want %d", what, name, g.mtime, w.mtime)
		}
		if objects[w.ino] != objects[g.ino] {
			t.Errorf("%s: %q: a link is %v, want %v", what, name, objects[g.ino], objects[w.ino])
		}
	}
}

// objectInodes are the files to which a checkout may link.
func objectInodes(t *testing.T, repo string) map[uint64]bool {
	t.Helper()
	inodes := map[uint64]bool{}
	for _, dir := range []string{"objects", "uncompressed-objects-cache"} {
		files, err := filepath.Glob(repo + "/" + dir + "/??/*.file")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			var st unix.Stat_t
			if err := unix.Lstat(file, &st); err != nil {
				t.Fatal(err)
			}
			inodes[st.Ino] = true
		}
	}
	return inodes
}

// listing lists a directory in a session: all of it but what differs from one run to the other.
const listing = `l() { { find "$@" -printf '%p %y %m %U:%G %n %T@ %l\n'; grep -rs . "$@"; } | sed -E 's/ [1-9][0-9]{8,}\.[0-9]+ / NOW /; s/ f ([0-7]+ [0-9:]+) ([2-9]|[1-9][0-9]+) / f \1 LINKED /' | sort; }
L() { l "$@" | sed 's/ l 777 [0-9:]* / l 777 OWNER /'; } # ostree leaves a symbolic link that replaces something without owner
t() { sed -E 's/renameat\([^,]*,/renameat(TEMP,/'; }; `

// checkoutSources makes, once, repositories of every mode with a commit t.
var checkoutSources = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(work, "checkouts")
	cmd := exec.Command("bash", "-ec", `mkdir "$0"; cd "$0"; mkdir -p src/d/e src/z; printf hello >src/d/f; : >src/d/empty; printf suid >src/d/s; chmod 6755 src/d/s; ln -s f src/d/l
		printf noread >src/z/nr; chmod 0200 src/z/nr; printf y >src/d/e/y; printf top >src/top; chown 5:6 src/top; chown -h 7:8 src/d/l; chmod 1777 src/z
		for m in bare bare-user bare-user-only archive; do ostree init --repo=$m --mode=$m; ostree config --repo=$m set core.fsync false
		ostree --repo=$m commit -b t --timestamp=@1 --tree=dir=src; done; rm -r src`, dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return dir, err
})

func compareCheckouts(t *testing.T, lines []string) {
	t.Helper()
	needRoot(t)
	sources, err := checkoutSources()
	if err != nil {
		t.Fatal(err)
	}
	for i := range lines {
		lines[i] = listing + lines[i]
	}
	compareSessions(t, append([]string{"cp -a " + sources + "/. ."}, lines...))
}

// TestCheckoutDestinations compares destinations and parts of commits.
func TestCheckoutDestinations(t *testing.T) {
	t.Parallel()
	compareCheckouts(t, []string{
		"ostree --repo=bare checkout", "ostree --repo=bare checkout nope", "ostree --repo=bare checkout t; l t", "ostree --repo=bare checkout t",
		"ostree --repo=bare checkout t nope/x", "ostree --repo=bare checkout t bare/config", "ostree --repo=bare checkout t bare/config/x",
		"ostree --repo=bare checkout --union t bare/config", "ostree --repo=bare checkout -C t .", "ostree --repo=bare checkout t a/; l a",
		"ostree --repo=bare checkout --subpath=/nope t x", "ostree --repo=bare checkout --subpath=/d/f/x t x", "ostree --repo=bare checkout --subpath= t x",
		"ostree --repo=bare checkout --allow-noent --subpath=/nope t x", "ostree --repo=bare checkout --allow-noent --subpath=/d/f/x t x",
		"ostree --repo=bare checkout -H --subpath=/nope/x t x", "ostree --repo=bare checkout --subpath=d/e t sub; l sub",
		"ostree --repo=bare checkout --subpath=/d/f t f; l f", "ostree --repo=bare checkout --subpath=/d/f t f", "ostree --repo=bare checkout -C --subpath=/d/f t f",
		"ostree --repo=bare checkout --subpath=/d/l t f; l f", "ostree --repo=bare checkout --subpath=/d/l t f", "ostree --repo=bare checkout -C --subpath=/d/l t f",
		"ostree --repo=bare checkout --subpath=/d/empty t f", "ostree --repo=bare checkout --subpath=/d/empty t f",
		"ostree --repo=bare checkout --union --subpath=/d/empty t f", "ostree --repo=bare checkout --union-add --subpath=/d/empty t f; l f",
		"mkdir dot; cd dot; ostree --repo=../bare checkout --subpath=/d/f t .; l .",
		`printf '/d/e\n/top\n' >s; ostree --repo=bare checkout --skip-list=s t s1; l s1`, `printf '/d/e/\n/d/f' >s; ostree --repo=bare checkout --skip-list=s t s2; l s2`,
		`echo / >s; ostree --repo=bare checkout --skip-list=s t s3; ls`, `printf '/e/\n/f\n' >s; ostree --repo=bare checkout --skip-list=s --subpath=/d t s4; l s4`,
		`echo /f >s; ostree --repo=bare checkout --skip-list=s --subpath=/d/f t s5; l s5`, "ostree --repo=bare checkout --skip-list=/nope t s6",
		`printf 't\0/d\0t\0/z\0' >m; ostree --repo=bare checkout --from-file=m m1; l m1`, `ostree --repo=bare checkout --union --from-stdin m2 <m; l m2`,
		`printf 't\0/d\0t' >m; ostree --repo=bare checkout --union --from-file=m m3; l m3`, `printf 't\0\0' >m; ostree --repo=bare checkout --union --from-file=m m4`,
		`printf 'nope\0/\0' >m; ostree --repo=bare checkout --from-file=m m5`, `printf 't\0/nope\0t\0/d' >m; ostree --repo=bare checkout --union --from-file=m m6`,
		`ostree --repo=bare checkout --allow-noent --union --from-file=m m7; l m7`, "ostree --repo=bare checkout --from-file=/nope m8", "ostree --repo=bare checkout --from-stdin m9 </dev/null",
	})
}

// TestCheckoutOptions compares what options say together, and links.
func TestCheckoutOptions(t *testing.T) {
	t.Parallel()
	lines := []string{
		"ostree --repo=archive checkout -U t cached; l archive/uncompressed-objects-cache", "ostree --repo=archive checkout -U t again; l again",
		"ostree --repo=bare checkout -H t /dev/shm/$$.x 2>&1 | sed 's/=[0-9]*/=N/g'; rm -rf /dev/shm/$$.x",
		"ostree --repo=bare checkout --fsync=foo t x", "ostree --repo=bare checkout --fsync=YES t x; rm -r x",
		"ostree init --repo=child --mode=bare; ostree config --repo=child set core.parent $PWD/bare; ostree --repo=child checkout -H $(ostree rev-parse --repo=bare t) c1; l c1",
		"ostree init --repo=young --mode=archive; ostree config --repo=young set core.parent $PWD/bare; ostree --repo=young checkout -H $(ostree rev-parse --repo=bare t) c2",
		"ostree --repo=young checkout $(ostree rev-parse --repo=bare t) c3; l c3; ostree --repo=young checkout -U $(ostree rev-parse --repo=bare t) c4; l c4; l young/unc*", "ostree config --repo=archive set core.enable-uncompressed-cache false; ostree --repo=archive checkout -U t nc; l nc",
		"f=$(ostree --repo=bare ls -C t /d/f | cut -c40-103); rm */objects/*/${f:13:62}*; ostree --repo=bare checkout t m1; ostree --repo=archive checkout t m2",
	}
	for _, o := range []string{"--union --union-add", "--union --union-identical", "--union-add --union-identical", "-H -C", "--selinux-prefix=/", "--union-identical"} {
		lines = append(lines, "ostree --repo=bare checkout "+o+" t x")
	}
	for _, mode := range []string{"bare -U", "bare-user", "archive", "archive -U"} {
		lines = append(lines, "ostree checkout -H --repo="+mode+" t x; rm -rf x")
	}
	compareCheckouts(t, lines)
}

// TestCheckoutUnions compares checkouts over what is there.
func TestCheckoutUnions(t *testing.T) {
	t.Parallel()
	lines := []string{}
	for _, o := range []string{"--repo=bare", "--repo=archive -U", "--repo=archive --disable-cache"} {
		for _, u := range []string{"--union", "--union-add", "--whiteouts --union"} {
			over := "rm -rf x; mkdir -p x/d/more x/z; chmod 750 x/d; echo old >x/d/f; echo old >x/d/empty; echo kept >x/d/kept; ostree checkout " + o + " " + u + " t x; l x; "
			lines = append(lines, over, strings.Replace(over, "l x", "L x", 1)+"ostree checkout "+o+" "+u+" t x; L x")
		}
		lines = append(lines, "rm -rf x; mkdir -p x/top; ostree checkout "+o+" --union --subpath=/top t x 2>&1 | t",
			"rm -rf x; mkdir x; echo a >x/d; ostree checkout "+o+" --union t x", "rm -rf x; ostree checkout "+o+" t x; ostree checkout "+o+" t x")
	}
	for _, o := range []string{"--repo=bare -H", "--repo=bare-user -U -H"} {
		same := "rm -rf x; ostree checkout " + o + " --union-identical t x; ostree checkout " + o + " --union-identical t x; l x; "
		lines = append(lines, same, same+"rm x/d/f; echo other >x/d/f; ostree checkout "+o+" --union-identical --subpath=/d t x/d", same+"rm x/d/l; ln -s z x/d/l; ostree checkout "+o+" --union-identical --subpath=/d t x/d")
	}
	compareCheckouts(t, append(lines, "rm -rf x; ostree checkout --repo=bare -C t x; ostree checkout --repo=bare -H --union-identical t x; l x"))
}

// TestCheckoutWhiteouts compares what whiteouts do.
func TestCheckoutWhiteouts(t *testing.T) {
	t.Parallel()
	wh := `mkdir -p o/d o/z o/gone; touch o/.wh.top o/d/.wh.f o/d/.wh.e o/z/.wh..wh..opq o/z/new o/.wh.absent o/gone/x
		printf w >o/d/.ostree-wh.dev; ln -s .wh.l o/d/.wh.l; for m in bare archive bare-user; do ostree --repo=$m commit -b o --timestamp=@1 --tree=dir=o; done; rm -r o`
	lines := []string{wh, "printf '/gone/\n/z/\n/.wh.top\n' >s"}
	for _, o := range []string{"--repo=bare", "--repo=archive"} {
		for _, w := range []string{"--union --whiteouts", "--union-add --whiteouts", "--union", "--union --process-passthrough-whiteouts"} {
			lines = append(lines, "rm -rf x; for b in t o o; do ostree checkout "+o+" "+w+" $b x; done; l x")
		}
		lines = append(lines, "rm -rf x; ostree checkout "+o+" --whiteouts t x; rm -rf x; ostree checkout "+o+" --process-passthrough-whiteouts o x; l x",
			"rm -rf x; mkdir x; ln -s /nowhere x/z; ostree checkout "+o+" --union --whiteouts o x; l x",
			"rm -rf x; mkdir x; echo mine >x/gone; ostree checkout "+o+" --union --whiteouts --subpath=/gone o x/gone; l x/gone",
			"rm -rf x; mkdir x; echo mine >x/d; ostree checkout "+o+" --union --whiteouts --skip-list=s o x; l x/d",
			"rm -rf x; mkdir -p x/gone/x; ostree checkout "+o+" --union --whiteouts o x; l x",
			"rm -rf x; mkdir -p x y; ln -s ../y x/gone; ostree checkout "+o+" --union --whiteouts --subpath=/gone o x/gone; l x y; rm -r y")
		for _, old := range []string{"mkdir x; echo mine >x/old", "echo mine >x", "mkdir y; echo mine >y/old; ln -s y x", ":"} {
			for _, w := range []string{"--union --whiteouts", "--whiteouts"} {
				lines = append(lines, "rm -rf x y; "+old+"; ostree checkout "+o+" "+w+" --subpath=/z o x; l x; rm -rf y")
			}
		}
	}
	compareCheckouts(t, append(lines, "mkdir o; touch o/.wh.; ostree --repo=bare commit -b e --timestamp=@1 --tree=dir=o; rm -r o; ostree --repo=bare checkout --whiteouts e y",
		"mkdir o; touch o/.ostree-wh.; ostree --repo=bare commit -b e --timestamp=@1 --tree=dir=o; rm -r o; ostree --repo=bare checkout --process-passthrough-whiteouts e y2"))
}

// TestCheckoutRefuses holds what ostree does and we don't, and what is left then: nothing.
func TestCheckoutRefuses(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	good := f.file(plainFile, []byte("good"))
	outside := scratch(t)
	base := f.commit(f.dir(map[string]string{"f": good}, map[string]string{"d": f.dir(map[string]string{"f": good}, nil)}), f.dirmeta())
	wrong := f.file(plainFile, []byte("right bytes"))
	f.write(wrong, "filez", append(plainFile.filez(11), deflated([]byte("other bytes"))...))
	long := f.file(plainFile, []byte("long"))
	f.write(long, "filez", append(plainFile.filez(4), deflated(make([]byte, 1<<20))...))
	link := f.file(header{mode: unix.S_IFLNK | 0o777, target: "target"}, nil)
	f.write(link, "filez", header{mode: unix.S_IFLNK | 0o777, target: "/etc"}.filez(0))
	file := func(name, sum string) string { return f.commit(f.dir(map[string]string{name: sum}, nil), f.dirmeta()) }
	for _, c := range []struct{ what, before, options, commit, words string }{
		{"a symbolic link on the way", "mkdir x; ln -s " + outside + " x/d", "--union", base, "opendir(d): Not a directory"},
		{"a whiteout of the parent", "mkdir -p x/in", "--union --whiteouts", file(".wh...", good), "Invalid path uplink"},
		{"a device over the parent", "true", "--process-passthrough-whiteouts", file(".ostree-wh...", good), "Invalid path uplink"},
		{"other bytes", "true", "", file("f", wrong), "checksum expected"},
		{"other bytes into the cache", "true", "-U", file("f", wrong), "checksum expected"},
		{"more bytes", "true", "", file("f", long), "longer than the 4 bytes"},
		{"another target", "true", "", file("f", link), "checksum expected"},
		{"labels", "true", "--selinux-policy=/", base, "SELinux labels can't be computed"},
		{"an image", "true", "--composefs", base, "composefs images can't be made"},
		{"an image without verity", "true", "--composefs-noverity", base, "composefs images can't be made"},
	} {
		dir := scratch(t)
		must(t, "sh", "-c", "cd "+dir+"; "+c.before)
		before := snapshot(t, dir)
		o := command{dir: dir, args: append(append([]string{binary(t, "deployfs"), "--repo=" + f.repo, "checkout"}, strings.Fields(c.options)...), c.commit, "x")}.run(t)
		if o.code != 1 || !strings.Contains(o.err, c.words) || strings.Count(o.err, "\n") > 2 {
			t.Errorf("%s: exit %d, %s", c.what, o.code, o.err)
		}
		if after := snapshot(t, dir); c.before == "true" && len(after) != len(before) {
			t.Errorf("%s: %d entries are left", c.what, len(after)-len(before))
		}
		for name := range snapshot(t, dir) {
			if strings.Contains(name, ".checkout-") {
				t.Errorf("%s: %s is left", c.what, name)
			}
		}
	}
	if list := snapshot(t, outside); len(list) != 1 {
		t.Errorf("outside are %d entries", len(list))
	}
	if cached, _ := filepath.Glob(f.repo + "/uncompressed-objects-cache/??/*"); len(cached) > 0 {
		t.Errorf("in the cache: %q", cached)
	}
}

// TestCheckoutBadTrees refuses each bad dirtree and leaves nothing.
func TestCheckoutBadTrees(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	meta := f.dirmeta()
	ok, sub := f.file(plainFile, []byte("good bytes\n")), f.meta("dirtree", gvTree(nil, nil))
	dir := scratch(t)
	for what, data := range badTrees(raw(ok), raw(sub), raw(meta)) {
		inner := f.meta("dirtree", data)
		top := f.meta("dirtree", gvTree([]gv{gvFile("f", raw(ok))}, []gv{gvDir("d", raw(inner), raw(meta))}))
		o := deployfs(t, "--repo="+f.repo, "checkout", f.commit(top, meta), dir+"/x")
		if o.code != 1 || !strings.Contains(o.err, "corrupted object "+inner) {
			t.Errorf("%s: exit %d, %s", what, o.code, o.err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestCheckoutInterrupted leaves nothing when it is interrupted.
func TestCheckoutInterrupted(t *testing.T) {
	t.Parallel()
	repo, dir := sharedRepo(t, "archive", "crowd"), scratch(t)
	for try := range 20 {
		var out bytes.Buffer
		cmd := exec.Command(binary(t, "deployfs"), "--repo="+repo, "checkout", "crowd", fmt.Sprintf("%s/%d", dir, try))
		cmd.Stderr = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(5*time.Second, func() bool {
			made, _ := filepath.Glob(dir + "/.checkout-*/crowd/0*")
			return len(made) > 0
		})
		cmd.Process.Signal(syscall.SIGINT)
		cmd.Wait()
		if cmd.ProcessState.ExitCode() == 0 {
			continue // it was done before
		}
		left, _ := filepath.Glob(dir + "/.checkout-*")
		_, err := os.Lstat(fmt.Sprintf("%s/%d", dir, try))
		if cmd.ProcessState.ExitCode() != 130 || len(left) > 0 || err == nil {
			t.Errorf("exit %d, left %q, %v, %s", cmd.ProcessState.ExitCode(), left, err, out.String())
		}
		return
	}
	t.Error("never interrupted in time")
}

// TestCheckoutReplaces holds what 2022.7 does not do: a symbolic link that replaces something has its owner.
func TestCheckoutReplaces(t *testing.T) {
	t.Parallel()
	repo, dir := sharedRepo(t, "archive", "traps"), scratch(t)+"/x"
	must(t, "sh", "-c", "mkdir "+dir+"; ln -s old "+dir+"/1000-1000.l")
	o := deployfs(t, "--repo="+repo, "checkout", "--union", "--subpath=/owners", "traps", dir)
	if link := snapshot(t, dir)["1000-1000.l"]; o.code != 0 || link.uid != 1000 || link.gid != 1000 {
		t.Errorf("exit %d, %s, %+v", o.code, o.err, link)
	}
}
