package fs

import (
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/fs/backing"
)

const (
	chains     = 60
	chainDepth = 8
)

// chainTree has chains of directories, more than are remembered. Each directory
// has a file whose size tells where it stands.
func chainTree(m *memory) directory {
	list := entries{}
	for c := range chains {
		var dir directory
		for depth := chainDepth - 1; depth >= 0; depth-- {
			e := entries{"file": m.file(strings.Repeat("x", chainSize(c, depth)))}
			if depth < chainDepth-1 {
				e["d"] = dir
			}
			dir = m.tree(e)
		}
		list[fmt.Sprint("chain", c)] = dir
	}
	return m.tree(list)
}

func chainSize(c, depth int) int { return 1 + c*chainDepth + depth }

// TestParallelLookups asks for deep directories from many goroutines, while what
// is remembered of them is overwritten all the time.
func TestParallelLookups(t *testing.T) {
	m := newMemory(t)
	v := m.show(chainTree(m), Options{Memory: 1 << 14})
	var nodes [chains][chainDepth]uint64
	for c := range nodes {
		node := v.lookup(gofuse.FUSE_ROOT_ID, fmt.Sprint("chain", c)).NodeId
		for depth := range nodes[c] {
			nodes[c][depth] = node
			if depth < chainDepth-1 {
				node = v.lookup(node, "d").NodeId
			}
		}
	}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			random := rand.New(rand.NewSource(int64(worker)))
			for range 2000 {
				c, depth := random.Intn(chains), random.Intn(chainDepth)
				out, status := v.tryLookup(nodes[c][depth], "file")
				if want := chainSize(c, depth); !status.Ok() || out.Size != uint64(want) {
					t.Errorf("chain %d, depth %d: a file of %d bytes, %v, want %d", c, depth, out.Size, status, want)
					return
				}
				switch random.Intn(4) {
				case 0:
					if attr, status := v.getAttr(out.NodeId); !status.Ok() || attr.Attr != out.Attr {
						t.Errorf("%+v, %v, want %+v", attr.Attr, status, out.Attr)
					}
				case 1:
					v.list(nodes[c][depth], 4096)
				}
			}
		})
	}
	wg.Wait()
	v.wantReports()
	if want := 1 + 2*chains*chainDepth; v.Stats().Nodes > want {
		t.Errorf("%d nodes of %d entries", v.Stats().Nodes, want)
	}
}

// TestParallelReads reads many files with room for few, in each way.
func TestParallelReads(t *testing.T) {
	everyWay(t, func(t *testing.T, m *memory, way Verify) {
		list := entries{}
		content := func(i int) string { return strings.Repeat(fmt.Sprint("file ", i, " "), 100+i) }
		for i := range 16 {
			list[fmt.Sprint(i)] = m.file(content(i))
		}
		v := m.showWithin(m.tree(list), Options{Verify: way}, backing.Limits{Files: 3, Bytes: 5000})
		var wg sync.WaitGroup
		for worker := range 6 {
			wg.Go(func() {
				for k := range 100 {
					i := (worker + k*k) % 16
					v.wantRead(v.lookup(gofuse.FUSE_ROOT_ID, fmt.Sprint(i)).NodeId, content(i))
				}
			})
		}
		wg.Wait()
		v.wantReports()
		if s := v.Stats(); s.OpenFiles > 3 || s.CacheUsed > 5000 {
			t.Errorf("%+v", s)
		}
	})
}
