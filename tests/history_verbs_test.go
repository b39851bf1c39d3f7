package tests

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLogOfPaths asks for paths of the long history.
func TestLogOfPaths(t *testing.T) {
	t.Parallel()
	h := historyRepo(t)
	for path := range historyFiles {
		var want []int
		for i := historyLength; i > 0; i-- {
			if historyLast(path, i) != historyLast(path, i-1) {
				want = append(want, i)
			}
		}
		list := jsonOf[[]briefly](t, "log", "--repo="+h.repo, "main", "--", path)
		if got := numbersOf(h.sums, list); !slices.Equal(got, want) {
			t.Errorf("%s:\n got %v\nwant %v", path, got, want)
		}
	}
	for path, want := range map[string][]int{"opt": {1500, 1}, "usr/share": {1}, "etc/gone": {1800, 1200, 900, 300}, "nowhere": nil, "etc/config/x": nil} {
		if got := numbersOf(h.sums, jsonOf[[]briefly](t, "log", "--repo="+h.repo, "main", "--", path)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}

// TestLogAsOstree compares where there is nothing of ours in the command line.
func TestLogAsOstree(t *testing.T) {
	t.Parallel()
	h := historyRepo(t)
	shallow := newRepo(t, "archive")
	ostree(t, shallow, "pull-local", "--depth=3", h.repo, "main")
	for _, repo := range []string{h.repo, shallow} {
		for _, line := range []string{"log main", "log --raw main", "log main^^"} {
			args := append(strings.Fields(line), "--repo="+repo)
			want, got := command{args: append([]string{"ostree"}, args...)}.run(t), deployfs(t, args...)
			if got.out != want.out || got.err != want.err || got.code != want.code {
				t.Errorf("%s: exit %d %q, want %d %q; %d bytes, want %d", got.line, got.code, got.err, want.code, want.err, len(got.out), len(want.out))
			}
		}
	}
	for _, repo := range []string{h.repo, shallow} {
		plain, got := deployfs(t, "log", "--repo="+repo, "main"), deployfs(t, "log", "--repo="+repo, "main", "etc")
		if got.out != plain.out || got.code != 0 || got.err != "hint: 'etc' is ignored: a PATH must stand behind --\n" {
			t.Errorf("%s: exit %d, %q, %d bytes of %d", got.line, got.code, got.err, len(got.out), len(plain.out))
		}
	}
}

// TestShallowHistory holds that what a repository does not have is never taken for nothing.
func TestShallowHistory(t *testing.T) {
	t.Parallel()
	h := historyRepo(t)
	shallow := newRepo(t, "archive")
	ostree(t, shallow, "pull-local", "--depth=3", h.repo, "main")
	last := h.sums[historyLength-3]
	const end = "<< History beyond this commit not fetched >>\n"
	for line, ends := range map[string]bool{"log --oneline main": true, "log -n 4 main": false, "log -n 5 main": true, "log main -- usr/share": true, "log -n 1 main -- usr": false} {
		got := deployfs(t, append([]string{"--repo=" + shallow}, strings.Fields(line)...)...)
		if got.code != 0 || (got.err == end) != ends || strings.Contains(got.out, "<<") {
			t.Errorf("%s: exit %d, %s%s", got.line, got.code, got.out, got.err)
		}
	}
	for line, wants := range map[string]string{
		"log --oneline main": "\n^" + last[:12] + " (1.1997) change 1997\n", "log main -- usr/share": "commit ^" + last + "\n",
		"log --oneline --stat main -- etc": "\n 3 added, +31B -0B: all, as the parent is not here\n",
		"log --stat main":                  "\n\n 30 added, +214B -0B: all, as the parent is not here\n\n", "log -n 4 main": "\ncommit " + last + "\n",
	} {
		if got := deployfs(t, append([]string{"--repo=" + shallow}, strings.Fields(line)...)...); strings.Count(got.out, wants)+strings.Count("\n"+got.out, wants) == 0 || strings.Count(got.out, "^") > 1 {
			t.Errorf("%s:\n%s%s", got.line, got.out, got.err)
		}
	}
	for i, c := range jsonOf[[]struct{ Shallow bool }](t, "log", "--repo="+shallow, "main") {
		if c.Shallow != (i == 3) {
			t.Errorf("commit %d: %v", i, c)
		}
	}
	if got := deployfs(t, "log", "--oneline", "--repo="+h.repo, h.sums[2]); strings.Contains(got.out, "^") || got.err != "" {
		t.Errorf("%s%s", got.out, got.err)
	}
	if got := deployfs(t, "blame", "--repo="+shallow, "main"); !strings.Contains(got.out, "^"+h.sums[historyLength-3][:12]) || got.code != 0 {
		t.Errorf("%s: exit %d\n%s%s", got.line, got.code, got.out, got.err)
	}
}

// TestLogOptions chooses among the commits of the long history.
func TestLogOptions(t *testing.T) {
	t.Parallel()
	h := historyRepo(t)
	at := func(i int) string { return time.Unix(int64(historyStart+i*historyStep), 0).UTC().Format(time.DateTime) }
	for _, c := range []struct {
		args []string
		want []int
	}{
		{[]string{"-n", "3"}, []int{2000, 1999, 1998}},
		{[]string{"-n3"}, []int{2000, 1999, 1998}},
		{[]string{"-2", "--graph-less"}, []int{2000, 1999}},
		{[]string{"-n", "0"}, nil},
		{[]string{"--max-count=2", "--", "usr/lib/os-release"}, []int{2000, 1950}},
		{[]string{"--since=" + at(1999)}, []int{2000, 1999}},
		{[]string{"--since=" + at(10), "--until=" + at(11)}, []int{11, 10}},
		{[]string{"--until=@" + fmt.Sprint(historyStart+2*historyStep+1)}, []int{2, 1}},
		{[]string{"--since=@0", "--until=@1"}, nil},
		{[]string{"--grep=^release 1.00$"}, []int{1900, 1800, 1700, 1600, 1500, 1400, 1300, 1200, 1100, 1000}},
		{[]string{"--grep=(?i)CHANGE 777", "--grep=e 778$"}, []int{778, 777}},
		{[]string{"--grep=release", "-n", "1", "--", "etc/config"}, []int{500}},
	} {
		args := append([]string{"log", "--repo=" + h.repo, "main"}, c.args...)
		if got := numbersOf(h.sums, jsonOf[[]briefly](t, args...)); !slices.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.args, got, c.want)
		}
	}
	line := func(i int) string { return fmt.Sprintf("%s (1.%d) change %d\n", h.sums[i][:12], i, i) }
	for args, want := range map[string]string{
		"--oneline -n 2 main":                           line(2000) + line(1999),
		"--oneline --stat -n 2 main -- usr/bin":         line(2000) + " 1 changed, +18B -18B\n" + line(1999) + " 1 changed, +19B -16B\n",
		"--oneline --stat -n 1 main^^":                  line(1998) + " nothing changed\n",
		"--oneline --stat -n 1 " + h.sums[900]:          line(900) + " 4 changed, 2 removed, +84B -102B\n",
		"--oneline --stat " + h.sums[1] + " -- usr/bin": line(1) + " 3 added, +31B -0B\n",
	} {
		if got := deployfs(t, append([]string{"log", "--repo=" + h.repo}, strings.Fields(args)...)...); got.out != want || got.code != 0 {
			t.Errorf("%s: exit %d\n got %s%s\nwant %s", args, got.code, got.out, got.err, want)
		}
	}
	if got := deployfs(t, "log", "--repo="+h.repo, "--stat", "-n", "1", "main"); !strings.HasSuffix(got.out, "\n    release 2000\n\n 4 changed, +88B -88B\n\n") {
		t.Errorf("%s", got.out)
	}
}

// TestBlame asks who changed what in the long history.
func TestBlame(t *testing.T) {
	t.Parallel()
	h := historyRepo(t)
	for _, l := range jsonOf[[]blamed](t, "blame", "-r", "--repo="+h.repo, "main") {
		path := l.Path[1:]
		want := 1
		switch _, ruled := historyFiles[path]; {
		case ruled:
			want = historyLast(path, historyLength)
		case l.Type == "directory":
			for file := range historyFiles {
				if strings.HasPrefix(file, path+"/") {
					want = max(want, historyLast(file, historyLength))
				}
			}
			switch path {
			case "opt":
				want = 1500
			case "etc":
				want = 1800 // etc/gone was taken away
			}
		}
		if l.Commit.Checksum != h.sums[want] || l.Commit.Subject != fmt.Sprint("change ", want) || l.Commit.Version != fmt.Sprint("1.", want) {
			t.Errorf("%+v, want %d", l, want)
		}
	}
	got := deployfs(t, "blame", "--repo="+h.repo, "main", "--", "/etc/")
	want := h.sums[1234][:12] + "  2020-11-03 22:26  change 1234  broken\n" + h.sums[501][:12] + "  2020-10-04 09:26  change 501   config\n"
	if got.out != want || got.code != 0 {
		t.Errorf("blame etc:\n%s%s\nwant\n%s", got.out, got.err, want)
	}
	for _, args := range [][]string{{"main:etc"}, {"main:/etc/"}, {h.sums[2000][:9] + ":/etc"}, {"main", "etc"}} {
		if got := deployfs(t, append([]string{"blame", "--repo=" + h.repo}, args...)...); got.out != want || got.code != 0 {
			t.Errorf("blame %s:\n%s%s\nwant\n%s", args, got.out, got.err, want)
		}
	}
	if got := deployfs(t, "blame", "--repo="+h.repo, "main^^:etc/config"); got.out != h.sums[501][:12]+"  2020-10-04 09:26  change 501  config\n" {
		t.Errorf("%s%s", got.out, got.err)
	}
	if got := deployfs(t, "blame", "--repo="+h.repo, h.sums[1000], "etc/gone/file"); got.code != 1 || got.err != "error: /etc/gone: No such file or directory\n" {
		t.Errorf("exit %d, %q", got.code, got.err)
	}
}

// TestFind looks for names and objects in the long history.
func TestFind(t *testing.T) {
	t.Parallel()
	h := historyRepo(t)
	find := func(args ...string) string {
		text := ""
		for _, f := range jsonOf[[]foundAt](t, append([]string{"find", "--repo=" + h.repo}, args...)...) {
			text += fmt.Sprintf("%s:%s", f.Rev, f.Path)
			for _, r := range f.Runs {
				text += fmt.Sprintf(" %d-%d", slices.Index(h.sums, r.First.Checksum), slices.Index(h.sums, r.Last.Checksum))
			}
			text += "\n"
		}
		return text
	}
	_, tool := objectOf(t, h.repo, h.sums[1005], "usr/bin/tool")
	_, gone := objectOf(t, h.repo, h.sums[300], "etc/gone")
	for target, want := range map[string]string{
		"gone":                              "main:/etc/gone 1200-1799 300-899\n",
		"/etc/*o*":                          "main:/etc/broken 1234-2000\nmain:/etc/config 1-2000\nmain:/etc/gone 1200-1799 300-899\n",
		"etc/*/file":                        "main:/etc/gone/file 1200-1799 300-899\n",
		"/tool":                             "",
		tool:                                "main:/usr/bin/tool 1000-1009\n",
		gone:                                "main:/etc/gone 300-899\n",
		h.sums[7]:                           "main:/ 7-7\n",
		h.sums[7][:12]:                      "main:/ 7-7\n",
		dirmetaOf(t, h.repo, "main", "opt"): "main:/opt 1500-2000\n",
	} {
		if got := find(target); got != want {
			t.Errorf("%s:\n got %s\nwant %s", target, got, want)
		}
	}
	if got, want := find("broken", h.sums[1300], h.sums[1000]), h.sums[1300]+":/etc/broken 1234-1300\n"; got != want {
		t.Errorf("from two commits:\n got %s\nwant %s", got, want)
	}
	got := deployfs(t, "find", "--repo="+h.repo, "gone")
	want := "FIRST         DATE        LAST          DATE        COMMITS         REV   PATH\n" +
		h.sums[300][:12] + "  2020-09-26  " + h.sums[1799][:12] + "  2020-11-27  1200 in 2 runs  main  /etc/gone\n"
	if got.out != want || got.code != 0 || got.err != "" {
		t.Errorf("%s%s\nwant\n%s", got.out, got.err, want)
	}
}

// TestFindAbbreviated asks for objects by what lists print of their checksums.
func TestFindAbbreviated(t *testing.T) {
	t.Parallel()
	h := historyRepo(t)
	_, tool := objectOf(t, h.repo, h.sums[1005], "usr/bin/tool")
	got := deployfs(t, "find", "--repo="+h.repo, tool[:12])
	if got.out != "" || got.code != 0 || got.err != "hint: no name and no commit is like that; of another OBJECT the whole checksum is needed\n" {
		t.Errorf("exit %d, %q, %q", got.code, got.out, got.err)
	}
	if got := deployfs(t, "find", "--repo="+h.repo, h.sums[9][:6]); got.out != "" || got.err != "" {
		t.Errorf("too short: %q, %q", got.out, got.err)
	}
}

// TestFindCommits lists all commits that hold something.
func TestFindCommits(t *testing.T) {
	t.Parallel()
	h := historyRepo(t)
	shallow := newRepo(t, "archive")
	ostree(t, shallow, "pull-local", "--depth=2", h.repo, "main")
	got := deployfs(t, "find", "--commits", "--repo="+h.repo, "/etc/gone")
	lines := strings.Split(strings.TrimSuffix(got.out, "\n"), "\n")
	if len(lines) != 1201 || lines[0] != "COMMIT         DATE        REV:PATH" || lines[600] != h.sums[1200][:12]+"   2020-11-02  main:/etc/gone" ||
		!strings.HasPrefix(lines[601], h.sums[899][:12]) || !strings.HasPrefix(lines[1200], h.sums[300][:12]) {
		t.Errorf("%d lines, %q %q", len(lines), lines[:2], got.err)
	}
	if got := deployfs(t, "find", "--commits", "--repo="+shallow, "opt"); !strings.HasSuffix(got.out, "\n^"+h.sums[1998][:12]+"  2020-12-05  main:/opt\n") || strings.Count(got.out, "\n") != 4 {
		t.Errorf("%s%s", got.out, got.err)
	}
	type held struct {
		HeldBy []briefly `json:"held_by"`
	}
	list := jsonOf[[]held](t, "find", "--repo="+h.repo, "--commits", "/etc/gone")
	if n := numbersOf(h.sums, list[0].HeldBy); len(n) != 1200 || n[0] != 1799 || n[599] != 1200 || n[600] != 899 {
		t.Errorf("%d commits", len(n))
	}
	if list := jsonOf[[]held](t, "find", "--repo="+h.repo, "/etc/gone"); list[0].HeldBy != nil {
		t.Errorf("%d commits, not asked for", len(list[0].HeldBy))
	}
}

// TestHistoryUsage holds how wrong use ends.
func TestHistoryUsage(t *testing.T) {
	t.Parallel()
	h := historyRepo(t)
	for _, c := range []struct {
		line, err string
		code      int
	}{
		{"log --oneline main etc", "error: A PATH must stand behind --\n", 1},
		{"log -n x main", "error: --max-count: 'x' is no number of commits\n", 1},
		{"log --grep ( main", "error: --grep: '(': missing closing )\n", 1},
		{"log --since soon main", "error: --since: 'soon': unknown date format\n", 1},
		{"blame", "error: one REV is needed, and one PATH is taken\nhint: usage: deployfs blame [OPTION…] REV [-- PATH] | REV:PATH\n", 2},
		{"blame nope", "error: Refspec 'nope' not found\n", 1},
		{"blame nope:/etc", "error: Refspec 'nope' not found\n", 1},
		{"blame main:/nope", "error: main:/nope: No such file or directory\n", 1},
		{"find", "error: an OBJECT or a PATTERN is needed\nhint: usage: deployfs find [OPTION…] OBJECT|PATTERN [REV...]\n", 2},
		{"find [", "error: '[' is no pattern of names\nhint: usage: deployfs find [OPTION…] OBJECT|PATTERN [REV...]\n", 2},
		{"find x nope", "error: Refspec 'nope' not found\n", 1},
	} {
		got := deployfs(t, append(strings.Fields(c.line), "--repo="+h.repo)...)
		if got.code != c.code || !strings.HasSuffix(got.err, c.err) || got.out != "" {
			t.Errorf("%s: exit %d, %q, want %d, %q", c.line, got.code, got.err, c.code, c.err)
		}
	}
	for _, line := range []string{"blame main", "find x", "du main", "df"} { // in a directory that is none
		got := deployfs(t, strings.Fields(line)...)
		if got.code != 1 || !strings.HasPrefix(got.err, "error: Command requires a --repo argument\nhint: ") || strings.Count(got.err, "\n") != 2 {
			t.Errorf("%s: exit %d, %q", line, got.code, got.err)
		}
	}
}

// TestHistoryOfStrangeNames holds that names and words of a commit can't talk to a terminal, and that
// a damaged commit ends a search where it is.
func TestHistoryOfStrangeNames(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	file := f.file(plainFile, []byte("x"))
	root := f.dir(map[string]string{"esc\x1b[31m": file, "nl\n": file, "plain": file}, map[string]string{"dir\x07": f.dir(map[string]string{"\u202e": file}, nil)})
	absent := f.meta("commit", gvCommit(nil, nil, raw(sumOf([]byte("nothing"))), raw(f.dirmeta())))
	top := f.meta("commit", gvTuple(gv{align: 8}, gvBytes(raw(absent)), gvArray(1), gvString("title \x1b]0;x\x07"), gvString(""), gvBE64(1<<63),
		gvBytes(raw(root)), gvBytes(raw(f.dirmeta()))).data)
	ostree(t, f.repo, "refs", "--create=main", top)
	for line, code := range map[string]int{
		"find *": 1, "find * main": 1, "blame main": 1, "log --oneline main": 0, "show main:/": 0, "show main:/dir\x07": 0, "log --oneline main -- plain": 1,
	} {
		got := deployfs(t, append([]string{"--repo=" + f.repo}, strings.Split(line, " ")...)...)
		if got.code != code || strings.ContainsAny(got.out+got.err, "\x1b\x07\u202e") {
			t.Errorf("%s: exit %d\n%q %q", line, got.code, got.out, got.err)
		}
		if code == 1 && (!strings.Contains(got.err, "commit "+absent) || strings.Count(got.err, "\n") != 1) {
			t.Errorf("%s: %q", line, got.err)
		}
		if strings.HasPrefix(line, "find") && !strings.Contains(got.out, top[:12]+"  -     "+top[:12]) {
			t.Errorf("%s: found before the damage: %q", line, got.out)
		}
	}
}
