package fs

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"deployfs/objstore/object"
)

// TestStream reads ahead of whoever goes forward, ever further, and not of who
// reads here and there.
func TestStream(t *testing.T) {
	var s stream
	for _, c := range []struct {
		dir         row
		pos         uint32
		from, until uint32
	}{
		{1, 0, 1, 1 + aheadFirst}, // the first file of a directory
		{1, 1, 5, 10},
		{1, 2, 10, 19},
		{1, 4, 19, 37},
		{1, 5, 0, 0}, // far enough
		{2, 7, 0, 0}, // perhaps the only one
		{2, 8, 9, 9 + aheadFirst},
		{2, 3, 0, 0}, // back
		{2, 900, 0, 0},
	} {
		if from, until := s.advance(c.dir, c.pos); from != c.from || until != c.until {
			t.Errorf("file %d of directory %d: reads %d to %d, want %d to %d", c.pos, c.dir, from, until, c.from, c.until)
		}
	}
	for pos := range uint32(10 * aheadSlots) {
		if from, until := s.advance(3, pos); until-from > aheadMost || until > pos+1+aheadMost {
			t.Fatalf("file %d: reads %d to %d", pos, from, until)
		}
	}
	if from, until := s.begin(4); from != 0 || until != aheadFirst {
		t.Errorf("a new directory: %d to %d", from, until)
	}
	if from, until := s.begin(4); from != until {
		t.Errorf("a directory that is being read: %d to %d", from, until)
	}
}

// aheadView is a directory of so many small files, with an index.
func aheadView(t *testing.T, m *memory, files int, way Verify) (v *view, names []string) {
	list := entries{}
	for i := range files {
		name := fmt.Sprintf("%04d", i)
		names = append(names, name)
		list[name] = m.file(strings.Repeat(name, 1+i%900))
	}
	root := m.tree(entries{"dir": m.tree(list), "other": m.file("other")})
	v = m.show(root, Options{Verify: way})
	v.UseIndex(m.index(root), v.never)
	return v, names
}

// TestAhead reads whole directories in order, from several readers: every byte
// is right, and content is opened before it is asked for.
func TestAhead(t *testing.T) {
	everyWay(t, func(t *testing.T, m *memory, way Verify) {
		v, names := aheadView(t, m, 300, way)
		dir := v.walk("dir").NodeId
		var readers sync.WaitGroup
		for range 3 {
			readers.Go(func() {
				for i, name := range names {
					if got, status := v.read(v.lookup(dir, name).NodeId, 1<<17, 0); !status.Ok() || got != strings.Repeat(name, 1+i%900) {
						t.Errorf("%s: %d bytes, %v", name, len(got), status)
					}
				}
			})
		}
		readers.Wait()
		v.wantReports()
	})
}

// TestAheadStat: who looks at attributes alone has nothing read.
func TestAheadStat(t *testing.T) {
	m := newMemory(t)
	v, names := aheadView(t, m, 50, VerifyFirst)
	dir := v.walk("dir").NodeId
	before := m.opens.Load()
	for _, name := range names {
		v.lookup(dir, name)
	}
	if n := m.opens.Load() - before; n != 0 {
		t.Errorf("%d contents were opened", n)
	}
}

// TestAheadDamage: a damaged file is an error when it is read, once reported,
// and not before.
func TestAheadDamage(t *testing.T) {
	m := newMemory(t)
	v, names := aheadView(t, m, 60, VerifyFirst)
	bad := m.file(strings.Repeat(names[10], 11))
	m.write(bad, strings.Repeat("x", 44))
	dir := v.walk("dir").NodeId
	for i, name := range names {
		node := v.lookup(dir, name).NodeId
		if i == 10 {
			v.wantBad(node)
		} else {
			v.wantRead(node, strings.Repeat(name, 1+i%900))
		}
	}
	v.wantReports("/dir/0010")
	v.wantCorrupt(object.KindFile, bad)
}
