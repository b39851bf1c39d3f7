package tests

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// finding is what `doctor --json` promises of one thing.
type finding struct{ What, Answer, Evidence, Missing, Remedy string }

type diagnosis struct {
	Mountable bool
	Findings  []finding
}

// of returns the finding about one thing.
func (d diagnosis) of(what string) finding {
	for _, f := range d.Findings {
		if f.What == what {
			return f
		}
	}
	return finding{}
}

// diagnose runs doctor, which must not take long, and must leave nothing: no mount, no process, no
// file in the directories that it looks at.
func diagnose(t *testing.T, c command, dirs ...string) diagnosis {
	t.Helper()
	list := func() (names []string) {
		for _, dir := range dirs {
			entries, _ := os.ReadDir(dir)
			for _, e := range entries {
				names = append(names, dir+"/"+e.Name())
			}
		}
		for _, m := range mountTable(t) {
			names = append(names, m.String())
		}
		return names
	}
	before, start := list(), time.Now()
	o := c.run(t)
	if after := list(); !slices.Equal(before, after) || len(servers()) > 0 {
		t.Errorf("%s: left something: %q, then %q, processes %v", o.line, before, after, servers())
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("%s: took %v", o.line, took)
	}
	var d diagnosis
	if err := json.Unmarshal([]byte(o.out), &d); err != nil {
		t.Fatalf("%s: exit %d, %v\n%s%s", o.line, o.code, err, o.out, o.err)
	}
	if (o.code == 0) != d.Mountable || o.code > 1 || (o.err == "") != d.Mountable {
		t.Errorf("%s: exit %d with mountable %v, %q", o.line, o.code, d.Mountable, o.err)
	}
	for _, f := range d.Findings {
		if f.What == "" || f.Evidence == "" || !slices.Contains([]string{"yes", "partly", "no"}, f.Answer) {
			t.Errorf("%s: %+v", o.line, f)
		}
	}
	return d
}

// wantAnswers compares answers with what is expected.
func wantAnswers(t *testing.T, d diagnosis, want map[string]string) {
	t.Helper()
	for what, answer := range want {
		if f := d.of(what); f.Answer != answer {
			t.Errorf("%s: %+v, want %s", what, f, answer)
		}
	}
}

// TestDoctor examines this machine as root: what other tests do is possible.
func TestDoctor(t *testing.T) {
	needFuse(t)
	bin, repo, cache, temp := binary(t, "deployfs"), clone(t, sharedRepo(t, "bare", "plain")), scratch(t), scratch(t)
	c := command{args: []string{bin, "doctor", "--json", "--repo=" + repo, "--cache-dir=" + cache + "/new"}, env: []string{"TMPDIR=" + temp}}
	d := diagnose(t, c, repo, cache, temp)
	wantAnswers(t, d, map[string]string{"fuse device": "yes", "mounting": "yes", "overlay": "yes", "repository": "yes", "lock": "yes", "index": "yes", "cache": "yes"})
	if f := d.of("repository"); !strings.Contains(f.Evidence, "mode bare, 1 refs") {
		t.Errorf("%+v", f)
	}
	dir := mounted(t, "--repo="+repo, "--data=passthrough", "plain") // is refused where it is not possible
	umounted(t, dir)
	wantAnswers(t, d, map[string]string{"passthrough": "yes"})

	text := deployfs(t, "doctor").out
	for _, what := range []string{"fuse device", "resend", "landlock", "beneath", "descriptor store"} {
		if !strings.Contains(text, "\n"+what+"  ") && !strings.HasPrefix(text, what+"  ") || d.of(what).What == "" {
			t.Errorf("no line about %s in\n%s", what, text)
		}
	}
	if o := deployfs(t, "doctor", "word"); o.code != 2 {
		t.Errorf("%s: exit %d", o.line, o.code)
	}
}

// TestDoctorOfRepository names what is wrong with a repository.
func TestDoctorOfRepository(t *testing.T) {
	needFuse(t)
	repo := clone(t, sharedRepo(t, "archive", "plain"))
	bin := binary(t, "deployfs")
	c := command{args: []string{bin, "doctor", "--json", "--repo=" + repo}}
	ostree(t, repo, "config", "set", "core.locking", "false")
	os.Remove(repo + "/.lock")
	os.WriteFile(repo+"/.lock", nil, 0o644)
	wantAnswers(t, diagnose(t, c, repo), map[string]string{"lock": "partly"})
	ostree(t, repo, "config", "set", "core.locking", "true")
	held, err := os.OpenFile(repo+"/.lock", os.O_RDWR, 0)
	if err == nil {
		err = unix.FcntlFlock(held.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	}
	if err != nil {
		t.Fatal(err)
	}
	wantAnswers(t, diagnose(t, c, repo), map[string]string{"lock": "no", "repository": "yes"})
	held.Close()
	os.WriteFile(repo+"/config", []byte("[core]\n"), 0o644)
	wantAnswers(t, diagnose(t, c, repo), map[string]string{"repository": "no", "mounting": "yes"})
	c.args[3] = "--repo=" + repo + "/no"
	wantAnswers(t, diagnose(t, c), map[string]string{"repository": "no", "index": ""})
}

// TestDoctorUnprivileged examines as a user, and says what root would add.
func TestDoctorUnprivileged(t *testing.T) {
	s := newStranger(t)
	repo := clone(t, sharedRepo(t, "bare", "plain"))
	bin := binary(t, "deployfs")
	c := s.command(bin, "doctor", "--json", "--repo="+repo)
	d := diagnose(t, c, s.home, repo)
	wantAnswers(t, d, map[string]string{"fuse device": "yes", "mounting": "partly", "fusermount3": "yes", "repository": "yes", "lock": "partly", "index": "yes", "cache": "yes"})
	for _, what := range []string{"mounting", "passthrough"} {
		if f := d.of(what); !strings.Contains(f.Missing+f.Remedy, "root") {
			t.Errorf("does not say what root would add: %+v", f)
		}
	}
	guardNew(t, s.dir, func() { s.command(bin, "mount", "--repo="+repo, "plain", s.dir).must(t) })
	s.command(bin, "umount", s.dir).must(t)

	c.env = append(c.env, "PATH="+s.home)
	wantAnswers(t, diagnose(t, c, s.home), map[string]string{"mounting": "no", "fusermount3": "no"})
}

// TestDoctorWithout examines where something is missing.
func TestDoctorWithout(t *testing.T) {
	needFuse(t)
	bin := binary(t, "deployfs")
	hidden := `mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && exec "$@"`
	c := command{args: []string{"unshare", "-m", "--propagation", "private", "sh", "-c", hidden, "-", bin, "doctor", "--json"}}
	d := diagnose(t, c)
	wantAnswers(t, d, map[string]string{"fuse device": "no", "mounting": "no", "beneath": d.of("beneath").Answer})
	if f := d.of("mounting"); !strings.Contains(f.Evidence, "/dev/fuse") || !strings.Contains(f.Remedy, "--device /dev/fuse") {
		t.Errorf("without a device: %+v", f)
	}

	powerless := command{args: []string{"setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", bin, "doctor", "--json"}}
	if d := diagnose(t, powerless); d.Mountable || !strings.Contains(d.of("mounting").Remedy, "SYS_ADMIN") {
		t.Errorf("without CAP_SYS_ADMIN: %+v", d.of("mounting"))
	}
}
