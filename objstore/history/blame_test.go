package history

import (
	"context"
	"fmt"
	"testing"

	"deployfs/objstore/tree"
)

// TestBlameByBruteForce compares with looking at each path in each commit.
func TestBlameByBruteForce(t *testing.T) {
	const n = 60
	for seed := range uint64(40) {
		f := random(t, seed, n)
		all := f.snapshots(t)
		for at, e := range all[n] {
			for _, deep := range []bool{false, true} {
				lines, err := Blame(context.Background(), f, sumOf(n), at, deep)
				if err != nil {
					t.Fatal(err)
				}
				want := 0
				for path := range all[n] {
					if path == at && !e.IsDir() || e.IsDir() && inDir(path, at, deep) {
						want++
					}
				}
				if len(lines) != want {
					t.Errorf("seed %d: %s, deep %v: %d lines, want %d", seed, at, deep, len(lines), want)
				}
				for _, l := range lines {
					if want := lastChange(all, l.Entry.Path, n); l.Commit.Checksum != sumOf(want) || l.Commit.Subject != fmt.Sprint("change ", want) || l.Shallow {
						t.Errorf("seed %d: %s, deep %v: %s: %+v, want %d", seed, at, deep, l.Entry.Path, l, want)
					}
				}
			}
		}
	}
}

func TestBlameStopsAndBreaksOff(t *testing.T) {
	f := newFake()
	for i := 1; i <= 100; i++ {
		f.add(i, f.tree(t, dir{"d": dir{"x": fmt.Sprint(i), "y": fmt.Sprint(i / 10)}, "z": "z"}))
	}
	f.reads = 0
	delete(f.commits, sumOf(50))
	lines, err := Blame(context.Background(), f, sumOf(100), "d", false)
	if err != nil || len(lines) != 2 || lines[0].Commit.Checksum != sumOf(100) || lines[1].Commit.Checksum != sumOf(100) || f.reads > 4 {
		t.Errorf("%+v, %v, %d dirtrees read", lines, err, f.reads)
	}
	lines, err = Blame(context.Background(), f, sumOf(99), "/", true)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, l := range lines {
		got[l.Entry.Path] = fmt.Sprint(l.Commit.Timestamp, " ", l.Shallow)
	}
	if want := map[string]string{"/d": "99 false", "/d/x": "99 false", "/d/y": "90 false", "/z": "51 true"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	_, err = Blame(context.Background(), f, sumOf(100), "d/nope", false)
	if _, ok := err.(*tree.Error); !ok {
		t.Errorf("a path that is not there: %v", err)
	}
}
