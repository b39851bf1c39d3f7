package explore

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

var update = flag.Bool("update", false, "write the golden files anew")

// driver is a user in front of a model: what it does is followed by all that follows from it.
type driver struct {
	t    testing.TB
	m    *Model
	quit bool
	all  int // keys so far
}

func drive(t testing.TB, cfg Config, width, height int) *driver {
	t.Helper()
	if cfg.Mounter == nil {
		cfg.Mounter = &mountNotes{}
	}
	if cfg.MountDir == nil {
		cfg.MountDir = func() (string, error) { return t.TempDir(), nil }
	}
	d := &driver{t: t, m: New(cfg)}
	d.send(tea.WindowSizeMsg{Width: width, Height: height})
	d.follow(d.m.Init())
	return d
}

func (d *driver) send(msg tea.Msg) {
	_, cmd := d.m.Update(msg)
	d.follow(cmd)
}

// follow runs a command and gives the model what it finds.
func (d *driver) follow(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, one := range msg {
			d.follow(one)
		}
	case tea.QuitMsg:
		d.quit = true
	default:
		d.send(msg)
	}
}

// special are keys that have names.
var special = map[string]tea.Key{
	"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "tab": {Code: tea.KeyTab}, "shift+tab": {Code: tea.KeyTab, Mod: tea.ModShift},
	"space": {Code: tea.KeySpace, Text: " "}, "up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown}, "left": {Code: tea.KeyLeft},
	"right": {Code: tea.KeyRight}, "pgdown": {Code: tea.KeyPgDown}, "pgup": {Code: tea.KeyPgUp}, "home": {Code: tea.KeyHome},
	"end": {Code: tea.KeyEnd}, "backspace": {Code: tea.KeyBackspace}, "ctrl+c": {Code: 'c', Mod: tea.ModCtrl},
	"ctrl+d": {Code: 'd', Mod: tea.ModCtrl}, "ctrl+u": {Code: 'u', Mod: tea.ModCtrl}, "ctrl+w": {Code: 'w', Mod: tea.ModCtrl},
}

// keys presses keys, which stand apart by blanks.
func (d *driver) keys(keys string) *driver {
	d.t.Helper()
	for key := range strings.FieldsSeq(keys) {
		k, ok := special[key]
		if !ok {
			k = tea.Key{Code: []rune(key)[0], Text: key}
		}
		d.all++
		d.send(tea.KeyPressMsg(k))
	}
	return d
}

// typed presses a key for each letter.
func (d *driver) typed(text string) *driver {
	for _, r := range text {
		d.send(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	return d
}

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// screen is what is seen, without colours. It fails the test when that is no screen of its size, or
// does anything but change colours.
func (d *driver) screen() string {
	d.t.Helper()
	text := sgr.ReplaceAllString(d.m.View().Content, "")
	out := strings.Split(text, "\n")
	if len(out) != d.m.height {
		d.t.Fatalf("%d lines on a screen of %d", len(out), d.m.height)
	}
	for i, l := range out {
		if w := ansi.StringWidth(l); w != d.m.width {
			d.t.Fatalf("line %d has %d columns of %d: %q", i, w, d.m.width, l)
		}
		for _, r := range l {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x202e || r == 0xfffd {
				d.t.Fatalf("line %d holds %q: %q", i, r, l)
			}
		}
		out[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(out, "\n")
}

// line is line n of the screen, from the end for negative ones.
func (d *driver) line(n int) string {
	out := strings.Split(d.screen(), "\n")
	if n < 0 {
		n += len(out)
	}
	return out[n]
}

// TestScreens compares what is seen on the way through a repository.
func TestScreens(t *testing.T) {
	for _, c := range []struct{ width, height int }{{80, 24}, {40, 10}, {200, 50}} {
		d := drive(t, Config{Repo: small(), MountDir: func() (string, error) { return "/run/deployfs/explore", nil }}, c.width, c.height)
		var got strings.Builder
		see := func(title string) {
			text := regexp.MustCompile(`\n(\n{2,})`).ReplaceAllStringFunc(d.screen(), func(gap string) string {
				return fmt.Sprintf("\n(%d empty lines)\n", len(gap)-1)
			})
			fmt.Fprintf(&got, "== %s\n%s\n\n", title, text)
		}
		see("refs")
		see2 := func(title, keys string) { d.keys(keys); see(title + ": " + keys) }
		see2("log", "j enter")
		see2("commit", "j enter")
		see2("tree", "enter")
		see2("directory", "enter")
		see2("file", "j enter pgdown")
		see2("bytes", "x")
		see2("end of the file", "x G")
		see2("symbolic link", "q q G enter")
		see2("marks", "q q q space k space")
		see2("differences", "d")
		see2("help", "?")
		see2("a patch", "q q space j j space d j enter")
		see2("a place to mount", "q q m")
		see2("not found", "esc / z q enter")
		compareGolden(t, fmt.Sprintf("%dx%d.txt", c.width, c.height), got.String())
	}
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
		for i := range min(len(g), len(w)) {
			if g[i] != w[i] {
				t.Fatalf("%s differs in line %d (go test -update writes it anew):\n got %q\nwant %q", name, i+1, g[i], w[i])
			}
		}
		t.Fatalf("%s has %d lines instead of %d", name, len(g), len(w))
	}
}

// TestKeys holds what keys do to the views.
func TestKeys(t *testing.T) {
	for keys, want := range map[string]string{ // to a word in the first line, or at the bottom
		"enter":                               " refs › origin:os/main",
		"enter q":                             " refs",
		"enter enter enter enter":             " › / › etc",
		"j enter enter tab":                   "/srv/repo",
		"j enter enter shift+tab":             "log of os/main",
		"j enter enter shift+tab t":           " refs › os/main › /",
		"enter ? q":                           "log of origin:os/main",
		"? ? q":                               " refs",
		"j t enter enter":                     "hostname",
		"j t enter h":                         "/ of ",
		"j c p p p":                           "it has no parent",
		"space space d":                       " refs › diff",
		"space j d":                           "0 removed, 0 changed",
		"j enter G c d":                       "the first commit",
		"j enter space j space d":             " 1 added",
		"j enter j space k space d":           " 1 added", // in the order of time, not of marking
		"n":                                   "nothing to look for yet",
		"u":                                   "nothing was mounted",
		"j enter / s t e p enter":             "3/3",
		"j enter / s t e p enter / F i enter": "3/3",
		"/ e x i t esc":                       "/srv/repo",
		"j d o":                               "there is no old version",
	} {
		d := drive(t, Config{Repo: small()}, 80, 24).keys(keys)
		if !strings.Contains(d.line(0)+"\n"+d.line(-2), want) {
			t.Errorf("%s: no %q in\n%s", keys, want, d.screen())
		}
	}
}

func TestQuit(t *testing.T) {
	for _, keys := range []string{"q", "Q", "enter Q", "enter enter ctrl+c", "enter q q", "esc", "enter / ctrl+c ctrl+c"} {
		if d := drive(t, Config{Repo: small()}, 80, 24).keys(keys); !d.quit {
			t.Errorf("%s: goes on", keys)
		}
	}
}

// TestREV holds that a REV on the command line is shown at once, and the refs are a step back.
func TestREV(t *testing.T) {
	d := drive(t, Config{Repo: small(), Rev: "os/main"}, 80, 24)
	if !strings.Contains(d.screen(), "Room for data") {
		t.Error(d.screen())
	}
	if d.keys("q"); d.quit || !strings.Contains(d.screen(), "origin:os/main") {
		t.Error(d.screen())
	}
	if d = drive(t, Config{Repo: small(), Rev: "nowhere"}, 80, 24); !strings.Contains(d.screen(), "error: Refspec 'nowhere' not found") {
		t.Error(d.screen())
	}
}

// TestLongHistory holds that commits are read as they are scrolled.
func TestLongHistory(t *testing.T) {
	r := long(10_000)
	d := drive(t, Config{Repo: r, Rev: "long"}, 80, 24)
	if n := r.read["commit"]; n > 2*batchRows || !strings.Contains(d.screen(), "commit number 10000") {
		t.Errorf("%d commits were read\n%s", n, d.screen())
	}
	d.keys("/").typed("NUMBER").keys("backspace backspace backspace backspace backspace backspace").typed("number 5000").keys("enter")
	if n := r.read["commit"]; n > 7000 || !strings.Contains(d.screen(), "> "+"  ") || !strings.Contains(d.screen(), "number 5000") {
		t.Errorf("%d commits were read\n%s", n, d.screen())
	}
	if d.keys("G"); !strings.Contains(d.line(-2), "10000/10000") || !strings.Contains(d.line(-4)+d.line(-3), "commit number 1") {
		t.Error(d.screen())
	}
	if d.keys("g"); !strings.Contains(d.line(1), "commit number 10000") {
		t.Error(d.screen())
	}
}

// TestWideDirectory holds that of 100,000 entries only those on the screen are looked at.
func TestWideDirectory(t *testing.T) {
	r := wide(100_000)
	d := drive(t, Config{Repo: r}, 80, 24)
	start := time.Now()
	d.keys("t pgdown pgdown G k")
	if !strings.Contains(d.screen(), "file-099999") || r.read["header"] > 200 {
		t.Errorf("%d headers were read\n%s", r.read["header"], d.screen())
	}
	d.keys("/").typed("file-05").keys("enter n N")
	if !strings.Contains(d.line(-2), "50001/100000") {
		t.Error(d.screen())
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

// TestMoved holds that refs are followed, and their logs when that is asked for.
func TestMoved(t *testing.T) {
	r := small()
	d := drive(t, Config{Repo: r}, 80, 24).keys("j enter")
	head, _ := r.Resolve("os/main")
	r.ref("os/main", r.commit(99, head, "News", "", r.commits[head].Root))
	r.ref("aaa", head)
	d.send(polled(d.m.cfg.refs()))
	if !strings.Contains(d.line(-2), "os/main has moved") || strings.Contains(d.screen(), "News") {
		t.Error(d.screen())
	}
	if d.keys("r"); !strings.Contains(d.line(1), "News") || !strings.Contains(d.line(-2), "1/4") {
		t.Error(d.screen())
	}
	if d.keys("q"); !strings.Contains(d.screen(), "aaa") || !strings.Contains(d.screen(), ">   os/main") {
		t.Error(d.screen())
	}
}

// TestErrors holds that what can't be read is one line, and nothing else stops working.
func TestErrors(t *testing.T) {
	r := small()
	d := drive(t, Config{Repo: r}, 80, 24).keys("j enter")
	r.absent = fmt.Errorf("reading: input/output\x1b[31m error\nwith a second line")
	for _, key := range []string{"r", "enter", "r", "enter", "r", "d", "q", "q", "q", "j", "t", "q", "m", "esc", "c", "q", "r"} {
		d.keys(key)
		d.screen()
	}
	r.absent = nil
	if d.keys("r j t"); !strings.Contains(d.screen(), "etc/") {
		t.Error(d.screen())
	}
	d = drive(t, Config{Repo: hostile()}, 120, 24).keys("enter")
	if !strings.Contains(d.screen(), "history goes on, but is not in this repository") {
		t.Error(d.screen())
	}
}

// TestMount holds what is mounted where, and that it is said.
func TestMount(t *testing.T) {
	base, notes := t.TempDir()+"/explore", &mountNotes{}
	d := drive(t, Config{Repo: small(), Mounter: notes, MountDir: func() (string, error) { return base, nil }}, 200, 24).keys("j")
	d.keys("m enter")
	if !strings.Contains(d.line(-2), "mounted at "+base+"/os-main ") || !strings.Contains(d.line(-2), "1 mounted") {
		t.Error(d.screen())
	}
	if d.keys("t enter m enter"); !slices.Equal(d.m.Mounts(), []string{base + "/os-main", base + "/" + d.m.view().shown().rev[:10] + "-etc"}) {
		t.Error(d.m.Mounts())
	}
	if _, err := os.Stat(base + "/os-main"); err != nil {
		t.Error(err)
	}
	d.keys("q q u u u")
	head := d.m.view().shown().rev
	if left, err := os.ReadDir(base); len(left) > 0 || err != nil || len(d.m.Mounts()) > 0 || head != "os/main" {
		t.Errorf("%v %v %v", left, err, d.m.Mounts())
	}
	sum, _ := d.m.cfg.Repo.Resolve("os/main")
	want := []string{
		"mount os/main path= at " + base + "/os-main", fmt.Sprintf("mount %s path=etc at %s/%s-etc", sum, base, short(sum)),
		"unmount " + base + "/os-main", "unmount " + base + "/" + short(sum) + "-etc",
	}
	if !slices.Equal(notes.asked, want) {
		t.Errorf("asked\n%q, want\n%q", notes.asked, want)
	}
	notes.err = fmt.Errorf("no fuse here")
	if d.keys("m ctrl+u / n o / w a y enter"); !strings.Contains(d.line(-2), "error: mkdir /no/way: no such file") {
		t.Error(d.screen())
	}
	if d.keys("m enter"); !strings.Contains(d.line(-2), "error: no fuse here") || len(d.m.Mounts()) > 0 {
		t.Error(d.screen())
	}
}

// TestAnything presses any key on screens of any size, in repositories that are made to break it.
func TestAnything(t *testing.T) {
	keys := slices.Collect(func(yield func(string) bool) {
		for k := range special {
			if k != "ctrl+c" && !yield(k) {
				return
			}
		}
		for _, k := range strings.Fields("j k g G h l q r t c d o p x n N / ? < > u m e \x1b 日") {
			if !yield(k) {
				return
			}
		}
	})
	slices.Sort(keys)
	for seed := range uint64(9) {
		rnd := rand.New(rand.NewPCG(seed, 9))
		d := drive(t, Config{Repo: []*memory{hostile(), small(), newMemory()}[seed%3]}, 80, 24)
		var pressed []string
		for range 200 {
			key := keys[rnd.IntN(len(keys))]
			pressed = append(pressed, key)
			if rnd.IntN(10) == 0 {
				d.send(tea.WindowSizeMsg{Width: 1 + rnd.IntN(100), Height: 1 + rnd.IntN(30)})
			}
			func() {
				defer func() {
					if r := recover(); r != nil {
						t.Fatalf("seed %d: %v after %q", seed, r, pressed)
					}
				}()
				d.keys(key)
				d.screen()
			}()
		}
	}
}
