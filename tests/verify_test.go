package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// verified is what `verify --json` promises.
type verified struct {
	Repo, Commit, Path          string
	Partial                     bool
	Objects, Bytes              int
	Seconds                     float64
	Damaged, Absent, Unreadable []struct{ Path, Object, Reason string }
}

// verifyModes are the modes that the real fsck judges.
var verifyModes = []string{"archive", "bare", "bare-user", "bare-user-only"}

func verifyJSON(t testing.TB, args ...string) (v verified, code int) {
	t.Helper()
	o := deployfs(t, append([]string{"verify", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(o.out), &v); err != nil {
		t.Fatalf("%s: %v\n%s%s", o.line, err, o.out, o.err)
	}
	return v, o.code
}

// fsck is the real program's judgement.
func fsck(t testing.TB, repo string) outcome {
	t.Helper()
	return command{args: []string{"ostree", "--repo=" + repo, "fsck"}}.run(t)
}

// TestVerifyIntact finds nothing in what ostree wrote, and checks every object.
func TestVerifyIntact(t *testing.T) {
	for _, mode := range repoModes {
		for _, name := range []string{"traps", "plain"} {
			repo := sharedRepo(t, mode, name)
			if o := deployfs(t, "verify", "--repo="+repo, name); o.code != 0 || o.out+o.err != "" {
				t.Errorf("%s: exit %d %q %q", o.line, o.code, o.out, o.err)
			}
			if o := fsck(t, repo); o.code != 0 {
				t.Errorf("%s: %s%s", o.line, o.out, o.err)
			}
			var objects []string
			for _, kind := range []string{"commit", "dirtree", "dirmeta", "file", "filez"} {
				found, err := filepath.Glob(repo + "/objects/??/*." + kind)
				if err != nil {
					t.Fatal(err)
				}
				objects = append(objects, found...)
			}
			v, code := verifyJSON(t, "--repo="+repo, name)
			if code != 0 || v.Objects != len(objects) || v.Bytes == 0 || v.Repo != repo || v.Path != "/" || v.Partial ||
				v.Damaged == nil || v.Absent == nil || v.Unreadable == nil || v.Commit != ostree(t, repo, "rev-parse", name) {
				t.Errorf("%s %s: exit %d, %+v; the repository holds %d objects", mode, name, code, v, len(objects))
			}
		}
	}
}

// verifyInjuries are those of a mount, and some that only a check of all meets.
func verifyInjuries(mode string) []injury {
	list := append(injuries(mode), injury{"tree", "removed", os.Remove}, injury{"meta", "removed", os.Remove},
		injury{"large", "cut by a byte", func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			return os.Truncate(path, info.Size()-1)
		}})
	if mode == "bare-user-only" {
		list = append(list, injury{"small", "mode", func(path string) error { return os.Chmod(path, 0o755) }})
	}
	return list
}

// TestVerifyDamage names each damaged object once, with a path, as the real fsck finds it, too.
func TestVerifyDamage(t *testing.T) {
	for _, mode := range verifyModes {
		for _, in := range verifyInjuries(mode) {
			t.Run(mode+" "+in.name+" "+in.how, func(t *testing.T) {
				w := newWounded(t, mode)
				sum, path := w.object(in.name)
				if err := in.do(path); err != nil {
					t.Fatal(err)
				}
				kind := "damaged"
				if in.how == "removed" {
					kind = "absent"
				}
				checkVerified(t, w.repo, kind, "/"+in.name, sum)
				if o := fsck(t, w.repo); o.code == 0 {
					t.Errorf("ostree finds nothing: %s%s", o.out, o.err)
				}
				if o := deployfs(t, "verify", "--repo="+w.repo, "main", "good"); o.code != 0 || o.out+o.err != "" {
					t.Errorf("%s: exit %d %q %q", o.line, o.code, o.out, o.err)
				}
				if o := deployfs(t, "verify", "--repo="+w.repo, "main", in.name); o.code != 1 || !strings.Contains(o.out, sum) {
					t.Errorf("%s: exit %d %q %q", o.line, o.code, o.out, o.err)
				}
			})
		}
	}
}

// checkVerified wants one problem in main, in text and in JSON.
func checkVerified(t *testing.T, repo, kind, path, sum string) {
	t.Helper()
	o := deployfs(t, "verify", "--repo="+repo, "main")
	if start := kind + " " + path + " " + sum + "."; o.code != 1 || !strings.HasPrefix(o.out, start) || strings.Count(o.out, "\n") != 1 {
		t.Errorf("%s: exit %d, %q; want one line %q...", o.line, o.code, o.out, start)
	}
	if !strings.HasPrefix(o.err, "error: 1 of ") || !strings.Contains(o.err, "\nhint: ") || strings.Count(o.err, "\n") != 2 {
		t.Errorf("%s: %q", o.line, o.err)
	}
	v, code := verifyJSON(t, "--repo="+repo, "main")
	list, other := v.Damaged, v.Absent
	if kind == "absent" {
		list, other = other, list
	}
	if code != 1 || len(list) != 1 || len(other)+len(v.Unreadable) != 0 || list[0].Path != path || !strings.HasPrefix(list[0].Object, sum+".") || list[0].Reason == "" {
		t.Errorf("exit %d, %+v", code, v)
	}
}

// TestVerifyAll goes on after the first problem.
func TestVerifyAll(t *testing.T) {
	w := newWounded(t, "bare")
	want := map[string]bool{}
	for _, name := range []string{"tree", "meta", "small", "large", "zeros", "xattr"} {
		sum, path := w.object(name)
		if err := flip(path, 9, 10); err != nil {
			t.Fatal(err)
		}
		want["damaged /"+name+" "+sum] = true
	}
	o := deployfs(t, "verify", "--repo="+w.repo, "main")
	for line := range strings.Lines(o.out) {
		start, _, _ := strings.Cut(line, ".")
		if !want[start] {
			t.Errorf("%q", line)
		}
		delete(want, start)
	}
	if o.code != 1 || len(want) > 0 || !strings.HasPrefix(o.err, "error: 6 of ") {
		t.Errorf("exit %d, not found: %v, %q", o.code, want, o.err)
	}
}

// TestVerifyCommit: the commit itself is bad, or named wrongly.
func TestVerifyCommit(t *testing.T) {
	w := newWounded(t, "archive")
	sum := ostree(t, w.repo, "rev-parse", "main")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, "at most one path are needed, not 0"},
		{[]string{"main", "a", "b"}, 2, "not 3"},
		{[]string{"nope"}, 1, "Refspec 'nope' not found"},
		{[]string{"main", "/nope"}, 1, "No such file or directory: /nope"},
		{[]string{"main", "small/x"}, 1, "Not a directory"},
	} {
		o := deployfs(t, append([]string{"verify", "--repo=" + w.repo}, c.args...)...)
		if o.code != c.code || o.out != "" || !strings.HasPrefix(o.err, "error: ") || !strings.Contains(o.err, c.want) {
			t.Errorf("%s: exit %d %q %q", o.line, o.code, o.out, o.err)
		}
	}
	if err := flip(objectPath(w.repo, sum, "commit"), 1, 2); err != nil {
		t.Fatal(err)
	}
	checkVerified(t, w.repo, "damaged", "/", sum)
	os.Remove(objectPath(w.repo, sum, "commit"))
	checkVerified(t, w.repo, "absent", "/", sum)
}

// TestVerifyMount checks what a mount shows, in the repository.
func TestVerifyMount(t *testing.T) {
	w := newWounded(t, "bare")
	dir := mounted(t, "--repo="+w.repo, "main")
	sub := mounted(t, "--repo="+w.repo, "--subpath=/good", "main")
	bound := scratch(t)
	if err := unix.Mount(dir+"/tree", bound, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(bound, unix.MNT_DETACH)
	snapshot(t, dir) // the kernel has it all
	for _, name := range []string{"small", "tree/inside"} {
		if err := flip(firstPath(w.object(name)), 1, 2); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args, want string
	}{
		{dir, "/small /tree/inside"}, {dir + "/", "/small /tree/inside"}, {dir + " /", "/small /tree/inside"}, {dir + " tree", "/tree/inside"},
		{dir + " /tree/inside", "/tree/inside"}, {dir + "/tree", "/tree/inside"}, {dir + "/tree inside", "/tree/inside"},
		{dir + "/small", "/small"}, {dir + " good", ""}, {dir + "/good", ""}, {sub, ""}, {sub + " file", ""}, {bound, "/tree/inside"},
		{bound + " inside", "/tree/inside"},
	} {
		v, code := verifyJSON(t, strings.Fields(c.args)...)
		var found []string
		for _, d := range v.Damaged {
			found = append(found, d.Path)
		}
		if got := joined(found); got != c.want || (code == 1) != (c.want != "") || v.Repo != w.repo {
			t.Errorf("verify %s: exit %d, %q, want %q", c.args, code, got, c.want)
		}
	}
	o := command{args: []string{binary(t, "deployfs"), "verify", "tree"}, dir: dir}.run(t)
	if o.code != 1 || !strings.HasPrefix(o.out, "damaged /tree/inside ") {
		t.Errorf("%s: exit %d %q %q", o.line, o.code, o.out, o.err)
	}
	o = command{args: []string{binary(t, "deployfs"), "verify", "--repo=" + w.repo, "tree"}, dir: dir}.run(t)
	if o.code != 1 || !strings.Contains(o.err, "Refspec 'tree' not found") {
		t.Errorf("%s: exit %d %q %q", o.line, o.code, o.out, o.err)
	}
}

func firstPath(_, path string) string { return path }

// joined sorts by need: a set of at most two paths.
func joined(paths []string) string {
	if len(paths) == 2 && paths[0] > paths[1] {
		paths[0], paths[1] = paths[1], paths[0]
	}
	return strings.Join(paths, " ")
}

// TestVerifyElsewhere: directories that are in no mount of ours.
func TestVerifyElsewhere(t *testing.T) {
	needFuse(t)
	for _, name := range []string{"/", "/proc", scratch(t), "."} {
		o := deployfs(t, "verify", name)
		if o.code != 1 || !strings.HasPrefix(o.err, "error: "+name+": not in a mount of deployfs\nhint: ") {
			t.Errorf("%s: exit %d %q", o.line, o.code, o.err)
		}
	}
	if o := deployfs(t, "verify", "/nonexistent"); o.code != 1 || !strings.Contains(o.err, "/nonexistent") {
		t.Errorf("%s: exit %d %q", o.line, o.code, o.err)
	}
	repo := sharedRepo(t, "bare", "plain")
	upper := scratch(t)
	dir := mounted(t, "--repo="+repo, "--overlay="+upper, "--subpath=/usr", "plain")
	if err := os.WriteFile(dir+"/new", []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if v, code := verifyJSON(t, dir, "share"); code != 0 || v.Path != "/usr/share" || v.Objects < 40 {
		t.Errorf("with a writable layer: exit %d, %+v", code, v)
	}
	if o := deployfs(t, "verify", dir+"/new"); o.code != 1 || !strings.Contains(o.err, "No such file or directory") {
		t.Errorf("what only the layer has: exit %d %q", o.code, o.err)
	}
}

// TestVerifyPartial says that objects may be absent by intention.
func TestVerifyPartial(t *testing.T) {
	source := sharedRepo(t, "archive", "plain")
	repo := newRepo(t, "bare-user")
	ostree(t, repo, "remote", "add", "--no-gpg-verify", "far", "file://"+source)
	ostree(t, repo, "pull", "--subpath=/usr/bin", "far", "plain")
	o := deployfs(t, "verify", "--repo="+repo, "far:plain")
	if o.code != 1 || !strings.HasPrefix(o.out, "absent /") || !strings.Contains(o.err, "which is partial") {
		t.Errorf("%s: exit %d %q %q", o.line, o.code, o.out, o.err)
	}
	if v, code := verifyJSON(t, "--repo="+repo, "far:plain"); code != 1 || !v.Partial || len(v.Absent) == 0 || len(v.Damaged) > 0 {
		t.Errorf("exit %d, %+v", code, v)
	}
	if v, code := verifyJSON(t, "--repo="+repo, "far:plain", "/usr/bin"); code != 0 || !v.Partial {
		t.Errorf("exit %d, %+v", code, v)
	}
}

// TestVerifyUnreadable is no damage: another user may not read all.
func TestVerifyUnreadable(t *testing.T) {
	s := newStranger(t)
	w := newWounded(t, "bare-user-only")
	sum, path := w.object("small")
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	o := s.command(binary(t, "deployfs"), "verify", "--repo="+w.repo, "main").run(t)
	if want := fmt.Sprintf("unreadable /small %s.file: Permission denied\n", sum); o.code != 1 || o.out != want {
		t.Errorf("%s: exit %d %q %q, want %q", o.line, o.code, o.out, o.err, want)
	}
}

// TestVerifyInterrupt ends at once, also in the middle of a file.
func TestVerifyInterrupt(t *testing.T) {
	w := newWounded(t, "bare")
	_, path := w.object("large")
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"--verbose", "--json"} {
		cmd := exec.Command(binary(t, "deployfs"), "verify", flag, "--repo="+w.repo, "main")
		var out, errOut bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errOut
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
		start := time.Now()
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 130 || time.Since(start) > 2*time.Second || out.Len()+errOut.Len() > 0 {
			t.Errorf("%s: exit %d after %s: %q %q", flag, code, time.Since(start), out.String(), errOut.String())
		}
	}
}
