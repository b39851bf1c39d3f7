package history

import (
	"context"
	"testing"

	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// sized gives every content the size 10.
type sized struct{ *fake }

func (sized) Stat(object.Checksum) (object.Header, error) { return object.Header{Size: 10}, nil }

// TestHostileMeasure counts a tree with far more paths than objects.
func TestHostileMeasure(t *testing.T) {
	t.Parallel()
	f := newFake()
	_, err := Measure(context.Background(), sized{f}, tree.Entry{}, tree.Entry{Path: "/", Tree: doubling(t, f, 60, "1"), Meta: sumOf(1)}, nil)
	if err != errMeasured || f.reads > 100 {
		t.Errorf("%v, %d dirtrees read", err, f.reads)
	}
}

func TestMeasure(t *testing.T) {
	f := newFake()
	root := func(d dir) tree.Entry { return tree.Entry{Path: "/", Tree: f.tree(t, d), Meta: sumOf(1)} }
	old := root(dir{"same": "1", "other": "1", "gone": dir{"a": "1", "b": "2"}, "type": "1"})
	new := root(dir{"same": "1", "other": "2", "new": dir{"c": dir{"d": "1"}}, "type": dir{"e": "1"}})
	for _, c := range []struct {
		old, new tree.Entry
		paths    []string
		want     Stat
	}{
		{old, new, nil, Stat{Added: 4, Removed: 3, Changed: 2, BytesAdded: 20, BytesRemoved: 20, BytesBefore: 20, BytesAfter: 10}},
		{old, new, []string{"gone", "/new/c"}, Stat{Added: 2, Removed: 3, BytesAdded: 10, BytesRemoved: 20}},
		{old, old, nil, Stat{}},
		{tree.Entry{}, old, nil, Stat{Added: 7, BytesAdded: 50}},
	} {
		if got, err := Measure(context.Background(), sized{f}, c.old, c.new, c.paths); got != c.want || err != nil {
			t.Errorf("%v: %+v, %v, want %+v", c.paths, got, err, c.want)
		}
	}
}
