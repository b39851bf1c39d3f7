package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// search is a bisect over the shared history, with a state directory of its own.
type search struct {
	history
	t     *testing.T
	state string
	mnt   string // its own mountpoint, once it has begun
}

func newSearch(t *testing.T) *search {
	t.Helper()
	needFuse(t)
	s := &search{history: historyRepo(t), t: t, state: scratch(t) + "/state"}
	t.Cleanup(func() {
		if s.mnt == "" || mustBe(s.bisect("reset"), 0) {
			return
		}
		t.Error("the search can't be reset")
		for isMounted(t, s.mnt) {
			unix.Unmount(s.mnt, unix.MNT_DETACH)
		}
	})
	return s
}

func mustBe(o outcome, code int) bool { return o.code == code }

func (s *search) bisect(args ...string) outcome {
	s.t.Helper()
	args = append([]string{binary(s.t, "deployfs"), "--repo=" + s.repo, "bisect"}, args...)
	return command{args: args, env: []string{"XDG_STATE_HOME=" + s.state}}.run(s.t)
}

// must runs a step that has to succeed, and returns its output.
func (s *search) must(args ...string) string {
	s.t.Helper()
	o := s.bisect(args...)
	if o.code != 0 || o.err != "" {
		s.t.Fatalf("%s: exit %d\n%s%s", o.line, o.code, o.out, o.err)
	}
	return o.out
}

// start begins with the newest commit as bad, and commit i as good.
func (s *search) start(good int, args ...string) string {
	s.t.Helper()
	out := s.must(append([]string{"start", "main", s.sums[good]}, args...)...)
	_, at, ok := strings.Cut(strings.TrimSpace(out), "\nmounted at ")
	if !ok || !isMounted(s.t, at) {
		s.t.Fatalf("nothing is mounted: %s", out)
	}
	s.mnt = at
	return out
}

// searchStatus is what the tests look at of the status.
type searchStatus struct {
	State, Mountpoint, Testing, Bad string
	Mounted                         bool
	Good, Suspects                  []string
}

func (s *search) status() (j searchStatus) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(s.must("status", "--json")), &j); err != nil {
		s.t.Fatal(err)
	}
	return j
}

// mustShow checks that the mount shows the commit under test.
func (s *search) mustShow() {
	s.t.Helper()
	j := s.status()
	i := slices.Index(s.sums, j.Testing)
	data, err := os.ReadFile(s.mnt + "/var/counter")
	if want := fmt.Sprintf("var/counter %d\n", historyLast("var/counter", max(i, 0))); !j.Mounted || err != nil || string(data) != want {
		s.t.Errorf("%+v shows %q, %v, want %q", j, data, err, want)
	}
}

// broken fails where etc/broken is, which commit 1234 has brought.
const broken = `test ! -e "$1/etc/broken"`

const firstBroken = 1234

// TestBisectRun finds a commit among 2,000, with git's words in git's order: the
// real git does the same on a history of the same shape.
func TestBisectRun(t *testing.T) {
	s := newSearch(t)
	out := s.start(1)
	s.mustShow()
	log := filepath.Join(s.state, "tested")
	out += s.must("run", "sh", "-c", `echo "$DEPLOYFS_BISECT_COMMIT $DEPLOYFS_BISECT_MOUNT" >>`+log+`; test "$1" = "$DEPLOYFS_BISECT_MOUNT" && `+broken, "-")
	if want := s.sums[firstBroken] + " is the first bad commit\ncommit " + s.sums[firstBroken] + "\n"; !strings.Contains(out, want) || !strings.HasSuffix(out, "\nbisect found first bad commit\n") {
		t.Errorf("%s\nwant %s", out, want)
	}
	if got, want := choices(out), choices(gitBisect(t)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	tested := strings.Split(strings.TrimSpace(readText(t, log)), "\n")
	if len(tested) > 11 || !strings.HasSuffix(tested[0], " "+s.mnt) {
		t.Errorf("%d tests, %q", len(tested), tested)
	}
	if j := s.status(); j.State != "found" || j.Bad != s.sums[firstBroken] || !slices.Equal(j.Good, []string{s.sums[firstBroken-1]}) {
		t.Errorf("%+v", j)
	}
	said := s.must("log")
	if want := fmt.Sprintf("# first bad commit: [%s] change %d\n", s.sums[firstBroken], firstBroken); !strings.HasSuffix(said, want) || strings.Count(said, "\n# good: ")+strings.Count(said, "\n# bad: ") != len(tested)+2 {
		t.Errorf("%s\nwant %s", said, want)
	}
	s.must("reset")
	if left, err := os.ReadDir(s.state + "/deployfs/bisect"); err != nil || len(left) != 0 || isMounted(t, s.mnt) {
		t.Errorf("after reset: %v %v", left, err)
	}
	s.mnt = ""
}

// choices are the lines that say what is tested, without checksums.
func choices(out string) string {
	var lines []string
	for line := range strings.Lines(out) {
		if _, subject, ok := strings.Cut(line, "] change "); ok {
			line = subject
		} else if !strings.HasPrefix(line, "Bisecting: ") {
			continue
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}

// gitBisect has the real git search in a history of the same shape.
func gitBisect(t *testing.T) string {
	t.Helper()
	need(t, have("git"), "git is not installed (tests/setup.sh installs it)")
	dir := scratch(t)
	var in strings.Builder
	for i := 1; i <= historyLength; i++ {
		subject := fmt.Sprintf("change %d", i)
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter a <a@b> %d +0000\ndata %d\n%s\n", historyStart+i, len(subject), subject)
		if i == firstBroken {
			in.WriteString("M 644 inline broken\ndata 0\n")
		}
	}
	env := []string{"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "HOME=" + dir}
	git := func(in string, args ...string) string {
		return command{args: append([]string{"git"}, args...), dir: dir, env: env, in: in}.must(t) + "\n"
	}
	git("", "init", "-q", "-b", "main")
	git(in.String(), "fast-import", "--quiet")
	git("", "reset", "-q", "--hard")
	out := git("", "bisect", "start", "main", fmt.Sprintf("main~%d", historyLength-1))
	return out + git("", "bisect", "run", "test", "!", "-e", "broken")
}

// TestBisectKilled: a run that is killed in the middle of a test, and whose mount
// is gone as after a reboot, goes on where it was.
func TestBisectKilled(t *testing.T) {
	s := newSearch(t)
	s.start(1100)
	count := filepath.Join(s.state, "count")
	test := `echo >>` + count + `; [ $(wc -l <` + count + `) = 4 ] && kill -KILL $PPID && exit 1; ` + broken
	if o := s.bisect("run", "sh", "-c", test, "-"); o.code != -1 || strings.Count(o.out, "running ") != 4 {
		t.Fatalf("exit %d\n%s%s", o.code, o.out, o.err)
	}
	s.mustShow()
	before := s.status()
	umounted(t, s.mnt)
	if j := s.status(); j.Mounted || j.Testing != before.Testing || !strings.Contains(s.must("status"), "not mounted at "+s.mnt+": `deployfs bisect resume` does it\n") {
		t.Errorf("%+v, before %+v", j, before)
	}
	s.must("resume")
	s.mustShow()
	umounted(t, s.mnt)
	out := s.must("run", "sh", "-c", test, "-")
	if !strings.Contains(out, s.sums[firstBroken]+" is the first bad commit\n") {
		t.Error(out)
	}
	if tests := strings.Count(readText(t, count), "\n"); tests > 11 {
		t.Errorf("%d tests", tests)
	}
}

// TestBisectByHand says good, bad and skip of what is mounted, and of others.
func TestBisectByHand(t *testing.T) {
	s := newSearch(t)
	if out := s.must("start"); out != "status: waiting for both good and bad commits\n" {
		t.Error(out)
	}
	if out := s.must("good", s.sums[1227], s.sums[1220]); out != "status: waiting for bad commit, 2 good commits known\n" {
		t.Error(out)
	}
	s.mnt = s.status().Mountpoint
	s.must("bad", s.sums[1240])
	for range 20 {
		j := s.status()
		if j.State != "testing" {
			break
		}
		s.mustShow()
		switch i := slices.Index(s.sums, j.Testing); {
		case i >= 1233 && i <= 1236:
			s.bisect("skip")
		case i < firstBroken:
			s.must("good")
		default:
			s.must("bad")
		}
	}
	j := s.status()
	want := []string{s.sums[1237], s.sums[1236], s.sums[1235], s.sums[1234], s.sums[1233]}
	if j.State != "stuck" || !slices.Equal(j.Suspects, want) {
		t.Errorf("%+v", j)
	}
	o := s.bisect("run", "false")
	if list := "There are only 'skip'ped commits left to test.\nThe first bad commit could be any of:\n" + strings.Join(want, "\n") + "\n"; o.code != 1 || o.out != list || o.err != "error: We cannot bisect more!\n" {
		t.Errorf("exit %d %q %q", o.code, o.out, o.err)
	}
	if out := s.must("status"); out != o.out {
		t.Error(out)
	}
	s.must("bad", s.sums[1234], s.sums[1233])
	if j := s.status(); j.State != "found" || j.Bad != s.sums[1233] {
		t.Errorf("%+v", j)
	}
}

// TestBisectExits: what ends of a test mean.
func TestBisectExits(t *testing.T) {
	s := newSearch(t)
	s.start(1900, "--mountpoint="+scratch(t))
	before := s.status()
	for script, want := range map[string]string{
		"exit 128":       "error: bisect run failed: exit code 128 from 'sh' is < 0 or >= 128\n",
		"exit 255":       "error: bisect run failed: exit code 255 from 'sh' is < 0 or >= 128\n",
		"kill -KILL $$":  "error: bisect run failed: 'sh' ended by signal: killed\n",
		"nothing to run": "",
	} {
		args := []string{"run", "sh", "-c", script, "-"}
		if want == "" {
			args, want = []string{"run", "/nonexistent"}, "error: bisect run failed: fork/exec /nonexistent: no such file or directory\n"
		}
		if o := s.bisect(args...); o.code != 1 || o.err != want || s.status().Testing != before.Testing {
			t.Errorf("%s: exit %d %q, want %q", script, o.code, o.err, want)
		}
	}
	script := `case $(wc -l <` + s.state + `/n) in 0) r=0;; 1) r=125;; 2) r=127;; 3) r=1;; *) r=200;; esac; echo >>` + s.state + `/n; exit $r`
	if err := os.WriteFile(s.state+"/n", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s.bisect("run", "sh", "-c", script)
	var kinds []string
	var log []struct{ Is string }
	if err := json.Unmarshal([]byte(s.must("log", "--json")), &log); err != nil {
		t.Fatal(err)
	}
	for _, m := range log {
		kinds = append(kinds, m.Is)
	}
	if got := strings.Join(kinds, " "); got != "bad good good skip bad bad" {
		t.Error(got)
	}
}

// TestBisectRefuses: contradictions change nothing, and say what to do.
func TestBisectRefuses(t *testing.T) {
	s := newSearch(t)
	refused := func(code int, want string, args ...string) {
		t.Helper()
		if o := s.bisect(args...); o.code != code || o.out != "" || !strings.Contains(o.err, want) || !strings.Contains(o.err, "\nhint: ") {
			t.Errorf("%q: exit %d %q %q, want %q", args, o.code, o.out, o.err, want)
		}
	}
	refused(1, "error: no bisect is under way in ", "good")
	refused(1, "error: no bisect is under way in ", "status")
	refused(1, "is no ancestor of bad commit", "start", s.sums[100], s.sums[200])
	refused(1, "was said to be good and to be bad", "start", "main", "main")
	refused(1, "Refspec 'nope' not found", "start", "nope")
	refused(1, "/nowhere: no such file or directory", "start", "main", s.sums[1], "--mountpoint=/nowhere")
	if left, _ := filepath.Glob(s.state + "/deployfs/bisect/*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	refused(2, "no such thing to do: begin", "begin")
	refused(2, "say what to do", "--good=main")
	refused(2, "go with start", "good", "--good=main")
	s.start(1000)
	refused(1, "error: a bisect is under way in ", "start", "main", s.sums[1])
	before := s.must("log")
	refused(1, "is no ancestor of bad commit", "bad", s.sums[500])
	refused(1, "is not from good commit", "skip", s.sums[500])
	refused(1, "was said to be good and to be bad", "good", "main")
	refused(2, "run needs a command", "run")
	refused(2, "--json goes with", "good", "--json")
	if s.must("log") != before {
		t.Error(s.must("log"))
	}
	s.must("good", s.sums[2]) // older than what is known: right, and nothing new
	s.mustShow()
}

// TestBisectOne: two processes don't work on one search, but it can be looked at;
// a run that is told to end tells its test, and keeps what it has.
func TestBisectOne(t *testing.T) {
	s := newSearch(t)
	s.start(1000)
	script := `trap 'echo ended >` + s.state + `/end; exit 0' TERM; echo >` + s.state + `/begun; sleep 30 >/dev/null 2>&1 & wait`
	cmd := command{args: []string{"timeout", "--signal=INT", "--foreground", "1", binary(t, "deployfs"), "--repo=" + s.repo, "bisect", "run", "sh", "-c", script}, env: []string{"XDG_STATE_HOME=" + s.state}}
	done := make(chan outcome)
	go func() { done <- cmd.run(t) }()
	begun := func() bool { _, err := os.Stat(s.state + "/begun"); return err == nil }
	if !eventually(10*time.Second, begun) {
		t.Error("the test has not begun")
	}
	if o := s.bisect("good"); o.code != 1 || !strings.HasPrefix(o.err, "error: another bisect of this repository is running\nhint: ") {
		t.Errorf("exit %d %q", o.code, o.err)
	}
	testing := s.status().Testing
	o := <-done
	if ended, err := os.ReadFile(s.state + "/end"); string(ended) != "ended\n" || err != nil || o.code != 124 {
		t.Errorf("exit %d %q, %q %v", o.code, o.err, ended, err)
	}
	if j := s.status(); j.Testing != testing || testing == "" || !j.Mounted {
		t.Errorf("%+v", j)
	}
	killSleepers(t)
}

// killSleepers ends what a script of this test has left.
func killSleepers(t *testing.T) {
	t.Helper()
	links, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, link := range links {
		data, err := os.ReadFile(link)
		if err != nil || !strings.Contains(string(data), "DEPLOYFS_BISECT_MOUNT="+work) {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(link, "/proc/%d/", &pid); err == nil {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// TestBisectForeign: what somebody else has mounted in the search's place is not touched.
func TestBisectForeign(t *testing.T) {
	s := newSearch(t)
	s.start(1000)
	umounted(t, s.mnt)
	if err := unix.Mount("tmpfs", s.mnt, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"resume"}, {"reset"}, {"run", "true"}} {
		if o := s.bisect(args...); o.code != 1 || !strings.Contains(o.err, "something else is mounted there: tmpfs") {
			t.Errorf("%v: exit %d %q", args, o.code, o.err)
		}
	}
	if err := unix.Unmount(s.mnt, 0); err != nil {
		t.Fatal(err)
	}
	s.must("resume")
	s.mustShow()
}

// TestBisectBusy: while somebody is in the mount that has to go, no verdict is taken.
func TestBisectBusy(t *testing.T) {
	s := newSearch(t)
	s.start(1900)
	before, log := s.status(), s.must("log")
	held, err := os.Open(s.mnt)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"good"}, {"good"}, {"bad"}, {"skip"}, {"good", s.sums[1910]}, {"run", "true"}} {
		o := s.bisect(args...)
		if j := s.status(); o.code != 1 || !strings.Contains(o.err, "error: nothing was marked: unmount "+s.mnt+": is in use\nhint: ") || !j.Mounted || j.Testing != before.Testing {
			t.Errorf("%q: exit %d %q, %+v", args, o.code, o.err, j)
		}
	}
	held.Close()
	if after := s.must("log"); after != log {
		t.Error(after)
	}
	s.must("good")
	if j := s.status(); j.Testing == before.Testing || !slices.Equal(j.Good, []string{before.Testing}) {
		t.Errorf("%+v, before %+v", j, before)
	}
	s.mustShow()
}

// TestBisectUnseen: nothing is taken for the commit under test while it is not mounted.
func TestBisectUnseen(t *testing.T) {
	s := newSearch(t)
	s.start(1900)
	log, sum := s.must("log"), s.status().Testing
	umounted(t, s.mnt)
	want := "error: commit " + sum + " is to be tested, but is not mounted at " + s.mnt + "\nhint: `deployfs bisect resume` mounts it\n"
	refused := func() {
		t.Helper()
		for _, is := range []string{"good", "bad", "skip"} {
			if o := s.bisect(is); o.code != 1 || o.out != "" || o.err != want {
				t.Errorf("%s: exit %d %q %q, want %q", is, o.code, o.out, o.err, want)
			}
		}
	}
	refused()
	mountOn(t, s.mnt, "--repo="+s.repo, s.sums[1900]) // another commit
	refused()
	umounted(t, s.mnt)
	if after := s.must("log"); after != log {
		t.Error(after)
	}
	if o := s.bisect("run", "umount"); o.code != 1 || o.err != want {
		t.Errorf("run umount: exit %d %q, want %q", o.code, o.err, want)
	}
	s.must("good", sum) // who names it knows it
	s.mustShow()
}

// TestBisectDamaged: a state that can't be read is named, and can be got rid of.
func TestBisectDamaged(t *testing.T) {
	s := newSearch(t)
	s.start(1900)
	state := filepath.Dir(s.mnt) + "/state"
	whole := readText(t, state)
	said := "state of the bisect \"" + state + "\" can't be read: "
	for _, text := range []string{"", whole[:len(whole)/2], "{}", strings.Replace(whole, `"good"`, `"odd"`, 1), strings.Replace(whole, s.mnt, "mnt", 1)} {
		writeText(t, state, text)
		for _, args := range [][]string{{"status"}, {"log"}, {"good"}, {"resume"}, {"run", "true"}} {
			if o := s.bisect(args...); o.code != 1 || o.out != "" || !strings.HasPrefix(o.err, "error: "+said) || !strings.HasSuffix(o.err, "\nhint: `deployfs bisect reset` removes it\n") {
				t.Errorf("%q with %q: exit %d %q %q", args, text, o.code, o.out, o.err)
			}
		}
	}
	s.must("reset")
	if left, err := os.ReadDir(s.state + "/deployfs/bisect"); err != nil || len(left) != 0 || isMounted(t, s.mnt) {
		t.Errorf("after reset: %v %v", left, err)
	}
	s.start(1900)
	writeText(t, state, "")
	o := s.bisect("start", "main", s.sums[1800])
	if o.code != 0 || o.err != said+"unexpected end of JSON input; a new one takes its place\n" {
		t.Errorf("start: exit %d %q", o.code, o.err)
	}
	if j := s.status(); !slices.Equal(j.Good, []string{s.sums[1800]}) {
		t.Errorf("%+v", j)
	}
	s.mustShow()
}

// TestBisectReplay: the log, read by a shell, makes the same search.
func TestBisectReplay(t *testing.T) {
	s := newSearch(t)
	dir := filepath.Join(scratch(t), "it's here")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s.start(1900, "--mountpoint="+dir)
	s.must("good")
	log, before := s.must("log"), s.status()
	s.must("reset")
	script := `deployfs() { "` + binary(t, "deployfs") + `" --repo="` + s.repo + `" "$@"; }` + "\n" + log
	if o := (command{args: []string{"sh", "-e"}, in: script, env: []string{"XDG_STATE_HOME=" + s.state}}).run(t); o.code != 0 {
		t.Errorf("%s: exit %d %s", log, o.code, o.err)
	}
	if j := s.status(); j.Mountpoint != dir || j.Testing != before.Testing {
		t.Errorf("%+v, before %+v", j, before)
	}
	s.mustShow()
}

// TestBisectLocked: while ostree deletes, a search says what it can do, not what a mount could.
func TestBisectLocked(t *testing.T) {
	needFuse(t)
	s := &search{t: t, state: scratch(t) + "/state"}
	s.repo = newRepo(t, "archive")
	ostree(t, s.repo, "config", "set", "core.lock-timeout-secs", "1")
	tree := scratch(t)
	for i := range 3 {
		writeText(t, tree+"/file", fmt.Sprint(i))
		s.sums = append(s.sums, commit(t, s.repo, "main", tree))
	}
	release := lockExclusively(t, s.repo)
	o := s.bisect("start", "main", s.sums[0])
	release()
	if o.code != 1 || !strings.HasPrefix(o.err, "error: repository "+s.repo+": Locking repo shared failed") || !strings.HasSuffix(o.err, "\nhint: wait until ostree has ended; `deployfs bisect resume` goes on then\n") {
		t.Errorf("exit %d %q", o.code, o.err)
	}
	s.must("resume")
	if j := s.status(); !j.Mounted || j.Testing != s.sums[1] {
		t.Errorf("%+v", j)
	}
	s.must("reset")
}
