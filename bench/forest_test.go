package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestPlanIsTheSameEachTime(t *testing.T) {
	for _, s := range []shape{{}, {large: 1 << 20}, {tiny: true}} {
		a, b := plan("big", 5000, s), plan("big", 5000, s)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%+v: two plans of one tree differ", s)
		}
		if a.counts.entries != 5000 {
			t.Errorf("%+v: %d entries, want 5000", s, a.counts.entries)
		}
		seen := map[string]bool{}
		for _, f := range a.files {
			seen[f.path] = true
			if s.tiny && f.size > smallFile {
				t.Errorf("%s: %d bytes in a tree of tiny files", f.path, f.size)
			}
		}
		if len(seen) != len(a.files) {
			t.Errorf("%+v: %d files have %d names", s, len(a.files), len(seen))
		}
	}
}

func TestForget(t *testing.T) {
	f := plan("big", 500, shape{large: 1 << 20})
	before, text := f.small(1), f.String()
	f.forget()
	if !reflect.DeepEqual(f.small(1), before) || f.String() != text || f.largest() != nil {
		t.Errorf("%+v, want %v and %s", f, before, text)
	}
}

func TestGrow(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "program")
	if err := os.WriteFile(source, []byte("text"), 0o755); err != nil {
		t.Fatal(err)
	}
	g := graft{dirs: []string{programDir}}
	path, err := g.add(programDir, source)
	if err != nil {
		t.Fatal(err)
	}
	forest := newTree(dir, 300, false, shape{large: 4096, graft: g})
	root, err := forest.source()
	if err != nil {
		t.Fatal(err)
	}
	s := spot{&checkout{}, forest, root}
	if err := walkTree(t.Context(), s); err != nil {
		t.Error(err)
	}
	if err := readAll(root, forest.files); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(filepath.Join(root, path)); err != nil || string(text) != "text" {
		t.Errorf("the copy is %q, %v", text, err)
	}
	if err := os.Truncate(filepath.Join(root, largeFile), 5); err != nil {
		t.Fatal(err)
	}
	if err := readBy(2, forest.files)(t.Context(), s); err == nil {
		t.Error("no error about a file that was cut")
	}
	if err := os.Remove(filepath.Join(root, largeFile)); err != nil {
		t.Fatal(err)
	}
	if err := walkTree(t.Context(), s); err == nil {
		t.Error("no error about a file that is missing")
	}
	s.peer = &mounted{mode: archive}
	if err := walkTree(t.Context(), s); err != nil {
		t.Error("an archive has no large file: ", err)
	}
}
