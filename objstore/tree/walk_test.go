package tree

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// walked is what Walk visits, and how it ends.
func walked(l Loader, from Entry) ([]string, error) {
	var paths []string
	err := Walk(l, from, func(e Entry) error {
		paths = append(paths, e.Path)
		return nil
	})
	return paths, err
}

func TestWalk(t *testing.T) {
	m := sample()
	m.add(99, nil, nil)
	got, err := walked(m, dir(1))
	want := []string{"/z", "/broken", "/empty", "/etc", "/etc/hosts", "/etc/ssh", "/etc/ssh/config", "/usr", "/usr/bin", "/usr/bin/env", "/usr/bin/ls"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	usr := Entry{Path: "/usr", Tree: sum(4)}
	if got, err := walked(m, usr); err != nil || !slices.Equal(got, want[8:]) {
		t.Errorf("below usr: %q, %v", got, err)
	}
	if got, err := walked(m, Entry{Path: "/z", Content: sum(101)}); err == nil || got != nil {
		t.Errorf("a file: %q, %v", got, err)
	}
}

// TestWalkStops at the first error, the visitor's or the loader's.
func TestWalkStops(t *testing.T) {
	m := sample()
	if got, err := walked(m, dir(1)); err != errAbsent || !slices.Equal(got, []string{"/z", "/broken"}) {
		t.Errorf("%q, %v", got, err)
	}
	stop := errors.New("stop")
	m.add(99, nil, nil)
	visits := 0
	err := Walk(m, dir(1), func(e Entry) error {
		visits++
		if e.Path == "/etc/hosts" {
			return stop
		}
		return nil
	})
	if err != stop || visits != 5 {
		t.Errorf("%v after %d visits", err, visits)
	}
}

// TestDeep walks as deep as directories may be nested, and no deeper.
func TestDeep(t *testing.T) {
	for depth, ok := range map[int]bool{3000: true, maxDepth - 1: true, maxDepth: false} {
		m := memory{}
		for i := range depth {
			m.add(i+1, nil, map[string]int{"d": i + 2})
		}
		m.add(depth+1, nil, nil)
		got, err := walked(m, dir(1))
		if (err == nil) != ok || len(got) != depth {
			t.Errorf("%d levels: %d visits, %v", depth, len(got), err)
		}
	}
}

// TestCycle: directories that hold themselves, which only damage makes, end.
func TestCycle(t *testing.T) {
	m := memory{}
	m.add(1, nil, map[string]int{"d": 2})
	m.add(2, map[string]int{"f": 3}, map[string]int{"d": 1})
	got, err := walked(m, dir(1))
	if err == nil || len(got) > 2*maxDepth {
		t.Errorf("%d visits, %v", len(got), err)
	}
	if e, err := Lookup(m, dir(1), "d/d/d/d/d/f"); err != nil || e.Content != sum(3) {
		t.Errorf("%+v, %v", e, err)
	}
}

// TestDeepMemory: a walk holds one path, not one for each directory that it is in.
func TestDeepMemory(t *testing.T) {
	const depth = 2000
	m, name := memory{}, strings.Repeat("n", 255)
	for i := range depth {
		m.add(i+1, nil, map[string]int{name: i + 2})
	}
	m.add(depth+1, map[string]int{"bottom": 1}, nil)
	before := held()
	err := Walk(m, dir(1), func(e Entry) error {
		if e.IsDir() {
			return nil
		}
		if want := strings.Repeat("/"+name, depth) + "/bottom"; e.Path != want {
			t.Errorf("the bottom is at %.300q, %d bytes", e.Path, len(e.Path))
		}
		if more := held() - before; more > 20<<20 {
			t.Errorf("%d MiB are held at the bottom", more>>20)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// held is how many bytes the process needs.
func held() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
