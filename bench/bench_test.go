package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestPlanIsTheSameEachTime(t *testing.T) {
	a, b := plan("big", 5000, 1<<20), plan("big", 5000, 1<<20)
	if !reflect.DeepEqual(a, b) {
		t.Error("two plans of one tree differ")
	}
	if a.entries() != 5000 {
		t.Errorf("%d entries, want 5000", a.entries())
	}
	seen := map[string]bool{}
	for _, f := range a.files {
		seen[f.path] = true
	}
	if len(seen) != len(a.files) {
		t.Errorf("%d files have %d names", len(a.files), len(seen))
	}
}

func TestGrow(t *testing.T) {
	f := plan("small", 300, 4096)
	root := filepath.Join(t.TempDir(), "tree")
	if err := f.grow(root); err != nil {
		t.Fatal(err)
	}
	b := &bench{big: f}
	if err := b.walkBig(t.Context(), nil, root); err != nil {
		t.Error(err)
	}
	if err := readAll(root, f.files); err != nil {
		t.Error(err)
	}
	if err := os.Truncate(filepath.Join(root, largeFile), 5); err != nil {
		t.Fatal(err)
	}
	if err := readAll(root, f.files); err == nil {
		t.Error("no error about a file that was cut")
	}
	if err := os.Remove(filepath.Join(root, largeFile)); err != nil {
		t.Fatal(err)
	}
	if err := b.walkBig(t.Context(), nil, root); err == nil {
		t.Error("no error about a file that is missing")
	}
}

func TestSample(t *testing.T) {
	for _, test := range []struct {
		s                 sample
		median, low, high float64
	}{
		{nil, 0, 0, 0}, {sample{3}, 3, 3, 3}, {sample{9, 1, 5}, 5, 1, 9}, {sample{4, 1, 2, 3}, 2.5, 1, 4},
	} {
		low, high := test.s.spread()
		if m := test.s.median(); m != test.median || low != test.low || high != test.high {
			t.Errorf("%v: median %v (%v-%v), want %v (%v-%v)", test.s, m, low, high, test.median, test.low, test.high)
		}
	}
}

func TestDigits(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 0.00651: "0.0065", 0.12: "0.12", 0.996: "1.00", 1.5: "1.50", 12.34: "12.3", 123.4: "123", 5432: "5432",
	} {
		if got := digits(x); got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
	}
}

func TestClaims(t *testing.T) {
	answer := func(mount, link float64) row {
		return row{Cells: []cell{{Values: sample{mount}}, {Values: sample{link}}}}
	}
	for _, test := range []struct {
		small, big, linked float64
		one, two           bool
	}{
		{0.010, 0.010, 1, true, true}, {0.010, 0.013, 1, false, true}, {0.010, 0.012, 0.5, true, false},
	} {
		b := &bench{rows: []row{answer(test.small, 0.1), answer(test.big, test.linked)}}
		if c := b.claims(); c[0].Holds != test.one || c[1].Holds != test.two {
			t.Errorf("%+v: %v", test, c)
		}
	}
}

// TestRun makes a whole run on small trees.
func TestRun(t *testing.T) {
	if err := missing(); err != nil {
		t.Skip("cannot run: " + err.Error())
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "bench")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	out, err := exec.Command(program, "-json", "-n", "1", "-cold=false", "-dir", dir, "-small", "50", "-big", "500", "-large", "1").Output()
	if err != nil {
		t.Fatal(err)
	}
	var result struct {
		Rows   []row   `json:"rows"`
		Claims []claim `json:"claims"`
	}
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if len(result.Claims) != 2 || len(result.Rows) != 9 {
		t.Errorf("%d rows and %d claims\n%s", len(result.Rows), len(result.Claims), out)
	}
	for _, r := range result.Rows {
		if v := r.Cells[0].Values; len(v) != 1 || v[0] <= 0 {
			t.Errorf("%s: %v", r.Title, v)
		}
		if strings.HasSuffix(r.Title, "MiB, warm") && r.Cells[0].Requests[0] != 0 {
			t.Errorf("%s: %v requests", r.Title, r.Cells[0].Requests)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "deployfs-bench-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
