package history

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

func finder(t *testing.T, f *fake, target string) *Finder {
	t.Helper()
	parsed, err := ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	return NewFinder(f, parsed)
}

// meant is what a target means, by brute force.
func meant(target string, e tree.Entry) bool {
	switch {
	case object.IsChecksum(target):
		return target == e.Content.String() || target == e.Tree.String() || target == e.Meta.String()
	case strings.Contains(target, "/"):
		ok, _ := path.Match(clean(target), e.Path)
		return ok
	}
	ok, _ := path.Match(target, path.Base(e.Path))
	return ok && e.Path != "/"
}

// TestFindByBruteForce compares with looking at everything in each commit.
func TestFindByBruteForce(t *testing.T) {
	const n = 60
	targets := []string{"a", "[ab]", "*", "/a", "a/*", "/*/b/*", "b/[!a]/c", "zz", content("1").String(), sumOf(1).String()}
	for seed := range uint64(40) {
		f := random(t, seed, n)
		all := f.snapshots(t)
		for _, e := range all[n/2] {
			if e.IsDir() && e.Path != "/" {
				targets = append(targets[:10], e.Tree.String())
			}
		}
		for _, target := range targets {
			want := map[string][]int{}
			for i := n; i > 0; i-- {
				for at, e := range all[i] {
					if meant(target, e) {
						want[at] = append(want[at], i)
					}
				}
			}
			list, err := finder(t, f, target).History(context.Background(), sumOf(n))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string][]int{}
			for _, found := range list {
				got[found.Path] = numbers(found)
			}
			if !maps.EqualFunc(got, want, slices.Equal) {
				t.Errorf("seed %d: %s\n got %v\nwant %v", seed, target, got, want)
			}
		}
	}
}

// numbers are all commits of the runs.
func numbers(f Found) (list []int) {
	for _, r := range f.Runs {
		if n := int(r.Last.Timestamp-r.First.Timestamp) + 1; n != r.Commits {
			return nil
		}
		for i := r.Last.Timestamp; i >= r.First.Timestamp; i-- {
			list = append(list, int(i))
		}
	}
	return list
}

func TestFindCommit(t *testing.T) {
	f := newFake()
	for i := 1; i <= 5; i++ {
		f.add(i, f.tree(t, dir{}))
	}
	list, err := finder(t, f, sumOf(3).String()).History(context.Background(), sumOf(5))
	if err != nil || len(list) != 1 || list[0].Path != "/" || !slices.Equal(numbers(list[0]), []int{3}) {
		t.Errorf("%+v, %v", list, err)
	}
	delete(f.commits, sumOf(2))
	list, err = finder(t, f, f.commits[sumOf(4)].Root.String()).History(context.Background(), sumOf(5))
	if err != nil || len(list) != 1 || list[0].Commits() != 3 || !list[0].Runs[0].Shallow {
		t.Errorf("a shallow history: %+v, %v", list, err)
	}
}

// TestFindOpensOnce holds that a subtree is opened once in all commits of all histories.
func TestFindOpensOnce(t *testing.T) {
	f := newFake()
	for i := 1; i <= 100; i++ {
		f.add(i, f.tree(t, dir{"same": dir{"deep": dir{"x": "1"}}, "n": fmt.Sprint(i)}))
	}
	for target, want := range map[string]int{"x": 100 + 2, "/n": 100, "same/deep/*": 100 + 2} {
		f.reads = 0
		find := finder(t, f, target)
		for range 3 {
			if list, err := find.History(context.Background(), sumOf(100)); err != nil || len(list) != 1 || list[0].Commits() != 100 {
				t.Errorf("%s: %+v, %v", target, list, err)
			}
		}
		if _, opened := find.Progress(); f.reads != want || int(opened) != want {
			t.Errorf("%s: %d dirtrees read, %d counted, want %d", target, f.reads, opened, want)
		}
	}
}

// TestHostileTrees looks into trees that have far more paths than objects.
func TestHostileTrees(t *testing.T) {
	f := newFake()
	f.add(1, doubling(t, f, 60, "1"))
	f.add(2, doubling(t, f, 60, "2"))
	ctx := context.Background()
	for target, fails := range map[string]bool{"nothing": false, "x/*/x": false, content("3").String(): false, content("1").String(): true, "x": true} {
		find := finder(t, f, target)
		find.size = 1 << 20
		_, err := find.History(ctx, sumOf(2))
		if (err != nil) != fails {
			t.Errorf("%s: %v", target, err)
		}
	}
	b := &blamer{loader: newLoader(f), size: 1 << 20}
	if err := b.run(ctx, f, sumOf(2), "/", true); err == nil {
		t.Error("all paths are listed")
	}
	if lines, err := Blame(ctx, f, sumOf(2), "/x/y", false); err != nil || len(lines) != 2 {
		t.Errorf("%+v, %v", lines, err)
	}
}

// TestInterruptedFind holds that the end of ctx ends a search wherever it is.
func TestInterruptedFind(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.add(1, doubling(t, f, 23, "1"))
	find := finder(t, f, "x")
	find.size = 1 << 60
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	list, err := find.History(ctx, sumOf(1))
	if !errors.Is(err, context.DeadlineExceeded) || list != nil || time.Since(start) > 3*time.Second {
		t.Errorf("%d found, %v, after %s", len(list), err, time.Since(start))
	}
}

// TestBoundOfHistories holds that what one history holds leaves less to the next.
func TestBoundOfHistories(t *testing.T) {
	f := newFake()
	f.add(1, doubling(t, f, 6, "1"))
	find := finder(t, f, "x")
	find.size = 200 << 10
	list, err := find.History(context.Background(), sumOf(1))
	if len(list) != 127 || err != nil {
		t.Errorf("%d found, %v", len(list), err)
	}
	if list, err := find.History(context.Background(), sumOf(1)); err == nil {
		t.Errorf("%d found again", len(list))
	}
}

func TestHostileDepth(t *testing.T) {
	f := newFake()
	f.add(1, nested(t, f, maxDepth+1))
	ctx := context.Background()
	if _, err := finder(t, f, "x").History(ctx, sumOf(1)); err == nil {
		t.Error("found in the abyss")
	}
	if _, err := Blame(ctx, f, sumOf(1), "/", true); err == nil {
		t.Error("listed down to the abyss")
	}
}

// TestVerdictsBound holds that what is remembered does not grow with what is looked into.
func TestVerdictsBound(t *testing.T) {
	var v verdicts
	m := &match{items: make([]item, 1000)}
	for i := range 3 * maxVerdicts / 1000 {
		v.put(place{depth: i}, m)
		if n := len(v.young); n > maxVerdicts/1000+1 {
			t.Fatalf("%d of 1,000 names each are remembered", n)
		}
	}
	v.put(place{depth: -1}, nil)
	if got, ok := v.get(place{depth: -1}); !ok || got != nil {
		t.Errorf("%v, %v", got, ok)
	}
	if _, ok := v.get(place{depth: 0}); ok {
		t.Error("nothing is forgotten")
	}
}

func TestParseTarget(t *testing.T) {
	for _, text := range []string{"", "/", "//", "./", "[", "a/[", `a\`, "[/]"} {
		if target, err := ParseTarget(text); err == nil {
			t.Errorf("%q is %+v", text, target)
		}
	}
}

func TestBrief(t *testing.T) {
	c := Commit{Checksum: sumOf(1)}
	c.Subject = strings.Repeat("é", maxText) + "\nrest"
	c.Metadata = gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString("version"), gvariant.NewVariant(gvariant.NewString("1.2"))))
	if b := NewBrief(c); b.Version != "1.2" || len(b.Subject) > maxText+3 || !strings.HasSuffix(b.Subject, "é…") {
		t.Errorf("%+v", b)
	}
	c.Subject = "one\ntwo"
	if b := NewBrief(c); b.Subject != "one" {
		t.Errorf("%+v", b)
	}
}

// FuzzParseTarget holds that a target that is accepted means what path.Match says.
func FuzzParseTarget(f *testing.F) {
	for _, text := range []string{"a", "a*", "/a/*", "[a-c]x", `\*`, "a//b/./c", "[/]", sumOf(1).String()} {
		f.Add(text, "a")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		target, err := ParseTarget(text)
		if err != nil || strings.Contains(text, "/") || object.IsChecksum(text) {
			return
		}
		if want, err := path.Match(text, name); err != nil || target.names([]byte(name), 7) != want || !target.opens([]byte(name), 7) {
			t.Errorf("%q and %q: want %v, %v", text, name, want, err)
		}
	})
}
