package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// logged lists the commits in which one of the paths changed, by their numbers.
func logged(t *testing.T, f *fake, filter Filter) (list []int) {
	t.Helper()
	err := Log(context.Background(), f, sumOf(len(f.commits)), filter, func(c Commit) error {
		list = append(list, int(c.Timestamp))
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return list
}

// TestChangesByBruteForce compares with looking at each path in each commit.
func TestChangesByBruteForce(t *testing.T) {
	const n = 60
	for seed := range uint64(40) {
		f := random(t, seed, n)
		all := f.snapshots(t)
		for _, paths := range [][]string{{"/"}, {"a"}, {"/a/b/"}, {"b/c/a", "c/../c/a"}, {"a/a/a/a/a", "nowhere", "b"}} {
			var want []int
			for i := n; i > 0; i-- {
				if slices.ContainsFunc(paths, func(p string) bool { return changedIn(all, clean(strings.Trim(p, "/")), i) }) {
					want = append(want, i)
				}
			}
			if got := logged(t, f, Filter{Paths: paths}); !slices.Equal(got, want) {
				t.Errorf("seed %d: %v\n got %v\nwant %v", seed, paths, got, want)
			}
		}
	}
}

func changedIn(all []map[string]tree.Entry, path string, n int) bool {
	path = strings.Replace(path, "/c/../", "/", 1)
	now, here := all[n][path]
	before, there := all[n-1][path]
	return here != there || !same(now, before)
}

func TestLogFilters(t *testing.T) {
	f := newFake()
	for i := range 10 {
		f.add(i+1, f.tree(t, dir{"x": fmt.Sprint(i / 3)}))
	}
	odd := func(c Commit) bool { return c.Timestamp%2 == 1 }
	for _, c := range []struct {
		filter Filter
		want   []int
	}{
		{Filter{}, []int{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}},
		{Filter{Max: 2}, []int{10, 9}},
		{Filter{Match: odd, Max: 3}, []int{9, 7, 5}},
		{Filter{Paths: []string{"x"}}, []int{10, 7, 4, 1}},
		{Filter{Paths: []string{"x"}, Match: odd}, []int{7, 1}},
		{Filter{Paths: []string{"x"}, Match: odd, Max: 1}, []int{7}},
	} {
		if got := logged(t, f, c.filter); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.filter, got, c.want)
		}
	}
}

// TestChangesCost holds how many dirtrees are read: each that differs once, and
// nothing for commits whose roots are equal.
func TestChangesCost(t *testing.T) {
	const n = 100
	f := newFake()
	big := dir{}
	for i := range 50 {
		big[fmt.Sprint("d", i)] = dir{"x": "x"}
	}
	for i := 1; i <= n; i++ {
		root := dir{"a": dir{"b": dir{"c": "still"}, "n": "1"}, "big": big, "n": fmt.Sprint(i / 2)}
		if i > n/2 {
			root["a"].(dir)["n"] = "2"
		}
		f.add(i, f.tree(t, root))
	}
	f.reads = 0
	if got := logged(t, f, Filter{Paths: []string{"a/b/c"}}); !slices.Equal(got, []int{1}) {
		t.Errorf("%v", got)
	}
	if roots, others := n/2+2, 3; f.reads != roots+others { // a twice, b once
		t.Errorf("%d dirtrees read, want %d", f.reads, roots+others)
	}
	f.reads = 0
	logged(t, f, Filter{Paths: []string{"a/b/c", "a/n", "big/d1/x", "big/d2/x"}})
	if f.reads > n/2+2+8 {
		t.Errorf("four paths: %d dirtrees read", f.reads)
	}
}

// TestMissingTree meets a commit whose directories are not there.
func TestMissingTree(t *testing.T) {
	f := newFake()
	f.add(1, sumOf(9))
	f.add(2, f.tree(t, dir{"x": "1"}))
	ctx := context.Background()
	none := func(Commit) error { return nil }
	err := Log(ctx, f, sumOf(2), Filter{Paths: []string{"x"}}, none)
	_, err2 := Blame(ctx, f, sumOf(2), "/", true)
	list, err3 := finder(t, f, "x").History(ctx, sumOf(2))
	for _, err := range []error{err, err2, err3} {
		absent := (*object.NotExistError)(nil)
		if !errors.As(err, &absent) || !strings.HasPrefix(err.Error(), "commit "+sumOf(1).String()) {
			t.Error(err)
		}
	}
	if len(list) != 1 || list[0].Commits() != 1 || list[0].Runs[0].Last.Checksum != sumOf(2) {
		t.Errorf("found before: %+v", list)
	}
}

func TestLoaderBound(t *testing.T) {
	f := newFake()
	l := newLoader(f)
	var sums []object.Checksum
	for i := range 3 * maxCached {
		sums = append(sums, f.tree(t, dir{"x": fmt.Sprint(i)}))
	}
	for range 2 {
		for _, sum := range sums {
			if got, err := l.DirTree(sum); err != nil || got.NumFiles() != 1 {
				t.Fatal(err)
			}
			if len(l.young) > maxCached || len(l.old) > maxCached {
				t.Fatalf("%d and %d dirtrees are kept", len(l.young), len(l.old))
			}
		}
	}
	f.reads = 0
	for range 3 {
		l.DirTree(sums[0])
	}
	if f.reads != 1 {
		t.Errorf("read %d times", f.reads)
	}
}
