package tests

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// policyCase is one way to verify, one data path, and one time and way of damage.
type policyCase struct {
	verify, data, mode string
	when               string // "before", "mounted" (before the first read) or "read" (after it)
	replaced           bool   // by another file, instead of in place
	target             string // small, which an index knows, or large, without an index
}

func (c policyCase) String() string {
	how := "in place"
	if c.replaced {
		how = "replaced"
	}
	return strings.Join([]string{c.verify, c.data, c.mode, c.when, how, c.target}, " ")
}

// answers are what reading a damaged file may give.
type answers struct{ good, stored, eio bool }

// want says what c's target may give, at the first open after the damage.
func (c policyCase) want() answers {
	inflated := c.mode == "archive" && c.when == "read"
	switch {
	case c.verify == "none":
		return answers{good: true, stored: true, eio: c.mode == "archive"}
	case c.when != "read":
		return answers{eio: true}
	case inflated: // what was inflated and verified is right, and is asked again
		return answers{good: true}
	case c.verify == "always":
		return answers{eio: true}
	case c.replaced || c.data == "cached": // the kernel, or the server, has what it read
		return answers{good: true}
	}
	return answers{good: true, stored: true} // the kernel reads the file by itself
}

// TestVerifyPolicies damages an object at each moment, for each way to verify and each data path.
func TestVerifyPolicies(t *testing.T) {
	needFuse(t)
	for _, mode := range []string{"bare", "bare-user", "archive"} {
		base := newWounded(t, mode)
		for _, verify := range []string{"first", "always", "none"} {
			for _, data := range []string{"cached", "passthrough"} {
				for i, when := range []string{"before", "mounted", "read", "before", "mounted", "read"} {
					c := policyCase{verify, data, mode, when, i > 2, []string{"small", "large"}[i%2]}
					t.Run(c.String(), func(t *testing.T) { c.run(t, base) })
				}
			}
		}
	}
}

func (c policyCase) run(t *testing.T, base wounded) {
	w := base
	w.t, w.repo = t, clone(t, base.repo)
	sum, path := w.object(c.target)
	if c.target == "small" {
		buildIndex(t, w.repo, "main")
	}
	damage := func(when string) {
		if c.when == when {
			c.damage(t, path)
		}
	}
	damage("before")
	args := []string{"--repo=" + w.repo, "--cache-dir=" + scratch(t), "--verify=" + c.verify, "--data=" + c.data, "main"}
	if c.target == "large" {
		args = append([]string{"--no-index"}, args...)
	}
	f := mountedForeground(t, args...)
	if c.target == "small" {
		waitIndex(t, listMounts(t), "used", f.dir)
	}
	stated(t, f.dir)
	damage("mounted")
	if c.when == "read" {
		w.othersGood(f.dir, "")
	}
	damage("read")
	failed := c.judge(t, w, f.dir, path, c.want())
	if c.when == "read" {
		failed = c.judgeCold(t, w, f.dir, path) || failed
	}
	w.othersGood(f.dir, c.target)
	w.counted(f, sum, c.target, failed)
}

// stated has the kernel know the attributes of every entry, but no content.
func stated(t testing.TB, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil {
			_, err = d.Info()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (c policyCase) damage(t testing.TB, path string) {
	t.Helper()
	err := error(nil)
	if !c.replaced {
		err = flip(path, 9, 10)
	} else {
		must(t, "cp", "-a", path, path+".new")
		err = errors.Join(flip(path+".new", 9, 10), os.Rename(path+".new", path))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// judge reads the damaged file twice, and tells whether that failed.
func (c policyCase) judge(t testing.TB, w wounded, dir, path string, may answers) (failed bool) {
	t.Helper()
	stored, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		data, err := os.ReadFile(dir + "/" + c.target)
		switch {
		case errors.Is(err, unix.EIO):
			failed = true
			if !may.eio {
				t.Errorf("%s: %v, want %+v", c.target, err, may)
			}
		case err != nil:
			t.Errorf("%s: %v", c.target, err)
		case sha256.Sum256(data) == w.want[c.target].sum:
			if !may.good {
				t.Errorf("%s can be read, want %+v", c.target, may)
			}
		case may.stored && (c.mode == "archive" || bytes.Equal(data, stored)):
		default:
			t.Errorf("%s: wrong bytes, want %+v", c.target, may)
		}
	}
	return failed
}

// judgeCold takes the file out of the page cache and reads it again. What was verified once may be
// wrong now, unless each open is verified.
func (c policyCase) judgeCold(t testing.TB, w wounded, dir, path string) (failed bool) {
	t.Helper()
	if file, err := os.Open(dir + "/" + c.target); err == nil {
		unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED)
		file.Close()
	} else {
		failed = true
	}
	may := c.want()
	if c.verify == "first" && c.mode != "archive" {
		may = answers{good: true, stored: true, eio: true}
	}
	return c.judge(t, w, dir, path, may) || failed
}

// othersGood reads every entry but one, or all.
func (w wounded) othersGood(dir, but string) {
	w.t.Helper()
	for _, name := range []string{"good/file", "tree/inside", "meta/inside", "small", "large", "zeros", "xattr", "link"} {
		if name == but {
			continue
		}
		got, err := readEntry(dir + "/" + name)
		if err != nil || got.sum != w.want[name].sum || got.target != w.want[name].target {
			w.t.Errorf("%s beside a damaged %q: %v", name, but, err)
		}
	}
}

// counted wants one line in the log, and errors that are counted, when reading failed, and else none.
func (w wounded) counted(f *foreground, sum, name string, failed bool) {
	w.t.Helper()
	var lines []string
	if failed {
		lines = f.logged(sum, "/"+name)
	}
	if failed != (len(lines) == 1) || !failed && strings.Contains(f.lines(), sum) {
		w.t.Errorf("failed: %v; log lines with %s and /%s: %q of\n%s", failed, sum, name, lines, f.lines())
	}
	for _, r := range mountRecords(w.t) {
		if r.Mountpoint == f.dir && failed != (r.Errors > 0) {
			w.t.Errorf("failed: %v; %d errors are counted", failed, r.Errors)
		}
	}
}

// TestVerifyInflated damages what was inflated: it is verified before it is used, and made anew.
func TestVerifyInflated(t *testing.T) {
	needFuse(t)
	base := newWounded(t, "archive")
	for _, verify := range []string{"first", "always", "none"} {
		for _, data := range []string{"cached", "passthrough"} {
			for i, when := range []string{"before", "mounted", "read"} {
				c := policyCase{verify, data, "archive", when, i%2 == 1, "large"}
				t.Run(c.String(), func(t *testing.T) { c.runInflated(t, base) })
			}
		}
	}
}

func (c policyCase) runInflated(t *testing.T, w wounded) {
	w.t = t
	cache := scratch(t)
	sum, _ := w.object(c.target)
	copied := cache + "/content/" + sum[:2] + "/" + sum[2:]
	args := []string{"--repo=" + w.repo, "--cache-dir=" + cache, "--no-index", "--verify=" + c.verify, "--data=" + c.data, "main"}
	first := mounted(t, "--repo="+w.repo, "--cache-dir="+cache, "--no-index", "main")
	w.othersGood(first, "")
	umounted(t, first)
	if c.when == "before" {
		c.damage(t, copied)
	}
	f := mountedForeground(t, args...)
	stated(t, f.dir)
	if c.when == "mounted" {
		c.damage(t, copied)
	}
	if c.when == "read" {
		w.othersGood(f.dir, "")
		c.damage(t, copied)
	}
	if c.when != "read" || c.verify == "always" {
		w.othersGood(f.dir, "")
		w.othersGood(f.dir, "")
		w.counted(f, sum, c.target, false)
	} else {
		w.othersGood(f.dir, c.target)
	}
	umounted(t, f.dir)
	again := mounted(t, args...)
	w.othersGood(again, "")
}

// TestVerifyAhead damages files that the server has read ahead, and holds open, before anybody has
// asked for them.
func TestVerifyAhead(t *testing.T) {
	needFuse(t)
	tree := scratch(t)
	const files = 12
	for i := range 4 {
		dir := fmt.Sprintf("%s/%d", tree, i)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for k := range files {
			if err := os.WriteFile(fmt.Sprintf("%s/%02d", dir, k), noise(uint64(100*i+k), 3000+k), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	repo := newRepo(t, "bare")
	commit(t, repo, "main", tree)
	want := snapshot(t, tree)
	buildIndex(t, repo, "main")
	for _, verify := range []string{"first", "always"} {
		repo := clone(t, repo)
		dir := mounted(t, "--repo="+repo, "--verify="+verify, "--data=cached", "main")
		waitIndex(t, listMounts(t), "used", dir)
		read := func(name string) error {
			e, err := readEntry(dir + "/" + name)
			if err == nil && e.sum != want[name].sum {
				t.Errorf("%s %s: wrong bytes", verify, name)
			}
			return err
		}
		for i := range 4 { // the later ones take the places of the first
			for k := range 4 {
				if err := read(fmt.Sprintf("%d/%02d", i, k)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for k := 4; k < files; k++ {
			name := fmt.Sprintf("0/%02d", k)
			if err := damageContent(repo, tree+"/"+name); err != nil {
				t.Fatal(err)
			}
			read(name) // right bytes, or an error
		}
	}
}
