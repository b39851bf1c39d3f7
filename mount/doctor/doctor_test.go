package doctor

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"deployfs/mount"
)

// TestMain lets the test binary be the child of its own probes.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "probe" {
		if err := Probe(os.Args[2:], os.Stdout); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func testMachine() Config {
	return Config{CacheDir: os.TempDir(), Room: 1, Child: []string{"/proc/self/exe", "probe"}}
}

// TestExamine holds that each thing is named once, says how it is known, and how to get what is
// missing, and that nothing is left.
func TestExamine(t *testing.T) {
	before, err := mount.Table()
	if err != nil {
		t.Fatal(err)
	}
	report := Examine(t.Context(), testMachine())
	seen := map[string]Answer{}
	for _, f := range report.Findings {
		if f.What == "" || f.Evidence == "" || seen[f.What] != "" || (f.Answer == Yes) != (f.Missing+f.Remedy == "") {
			t.Errorf("%+v", f)
		}
		seen[f.What] = f.Answer
	}
	if seen["mounting"] == "" || report.Mountable != (seen["mounting"] != No) || seen["repository"] != "" {
		t.Errorf("mountable %v: %v", report.Mountable, seen)
	}
	after, err := mount.Table()
	if err != nil || len(after) != len(before) {
		t.Errorf("%d mounts before, then %d, %v", len(before), len(after), err)
	}
}

// TestChild holds what comes of a child that hangs, dies, or talks nonsense.
func TestChild(t *testing.T) {
	for what, c := range map[string]struct {
		command []string
		want    string
	}{
		"hangs":    {[]string{"sleep", "60"}, errSilence.Error()},
		"fails":    {[]string{"sh", "-c", "echo ouch >&2; exit 3", "-"}, `exit status 3 "ouch\n"`},
		"nonsense": {[]string{"echo", "{"}, "answer of the child process: "},
		"absent":   {[]string{"/nope"}, "no such file"},
	} {
		m := &machine{Config: Config{Child: c.command}}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		start := time.Now()
		err := m.run(ctx, nil, new(bool), "60", nil)
		cancel()
		if err == nil || !strings.Contains(err.Error(), c.want) || time.Since(start) > 3*time.Second {
			t.Errorf("%s: %v after %v, want %s", what, err, time.Since(start), c.want)
		}
	}
	m := &machine{Config: testMachine()}
	var known *failure
	if err := m.run(t.Context(), nil, new(bool), "nope", nil); err == nil || errors.As(err, &known) {
		t.Errorf("a probe that does not exist: %v", err)
	}
}

// TestBounded gives up on what does not end.
func TestBounded(t *testing.T) {
	hang := func(context.Context) Finding { select {} }
	if f := bounded(t.Context(), time.Millisecond, hang, silence); f.Answer != No || f.Evidence != errSilence.Error() {
		t.Errorf("%+v", f)
	}
}

func TestVersion(t *testing.T) {
	v := version{major: 6, minor: 9}
	for _, c := range []struct {
		major, minor int
		want         bool
	}{{6, 9, true}, {6, 10, false}, {7, 0, false}, {5, 15, true}, {6, 5, true}} {
		if v.least(c.major, c.minor) != c.want {
			t.Errorf("6.9 is at least %d.%d: %v", c.major, c.minor, !c.want)
		}
	}
	if v := kernelVersion(); !v.least(3, 0) {
		t.Errorf("%+v", v)
	}
}
