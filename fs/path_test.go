package fs

import (
	"strings"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore/object"
)

// TestPathInReport: of a path that is too long for a message, its end is told.
func TestPathInReport(t *testing.T) {
	for depth, cut := range map[int]bool{1: false, 10: false, 100: true} {
		m, name := newMemory(t), strings.Repeat("n", 255)
		tree := m.tree(entries{"absent": object.Checksum{7}})
		for range depth {
			tree = m.tree(entries{name: tree})
		}
		v := m.show(tree, Options{})
		out := v.walk(strings.Repeat(name+"/", depth-1) + name)
		if _, status := v.tryLookup(out.NodeId, "absent"); status != gofuse.EIO {
			t.Fatalf("%d levels: %v", depth, status)
		}
		if len(v.reports) != 1 {
			t.Fatalf("%d levels: %d reports", depth, len(v.reports))
		}
		full, got := strings.Repeat("/"+name, depth)+"/absent", v.reports[0]
		if !cut && got != full {
			t.Errorf("%d levels: reported as %q", depth, got)
		}
		end, ok := strings.CutPrefix(got, "/...")
		if cut && (!ok || !strings.HasSuffix(full, end) || len(got) < maxPath || len(got) > maxPath+2*maxName) {
			t.Errorf("%d levels: reported as %d bytes, %.100q...", depth, len(got), got)
		}
	}
}
