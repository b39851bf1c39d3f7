package compare

import (
	"cmp"
	"maps"
	"path"
	"slices"

	"deployfs/objstore/diff"
	"deployfs/objstore/object"
)

// Totals are how much has changed in one directory, without those below it. Bytes are those of
// content; that of a renamed file has not changed.
type Totals struct {
	Dir                              string
	Added, Removed, Changed, Renamed int    // entries
	BytesAdded, BytesRemoved         uint64 // of files that were added or removed
	BytesBefore, BytesAfter          uint64 // of files whose content has changed
}

// Net is by how many bytes the content has grown.
func (t Totals) Net() int64 {
	return int64(t.BytesAdded) - int64(t.BytesRemoved) + int64(t.BytesAfter) - int64(t.BytesBefore)
}

// Summary counts changes by directory.
type Summary struct {
	All      Totals
	old, new Side
	left     *Budget
	byDir    map[string]*Totals
}

// NewSummary counts nothing yet; what it takes comes out of a budget.
func NewSummary(old, new Side, left *Budget) *Summary {
	return &Summary{old: old, new: new, left: left, byDir: map[string]*Totals{}}
}

// Add counts a change.
func (s *Summary) Add(c Change) error {
	d, err := Describe(c, s.old, s.new)
	if err != nil {
		return err
	}
	content, err := d.ContentDiffers(c, s.old, s.new)
	if err != nil {
		return err
	}
	dir := path.Dir(c.Path)
	t := s.byDir[dir]
	if t == nil {
		if err := s.left.Take(perDirectory + len(dir)); err != nil {
			return err
		}
		t = &Totals{Dir: dir}
		s.byDir[dir] = t
	}
	t.add(c.Kind, d, content)
	s.All.add(c.Kind, d, content)
	return nil
}

// Dirs are the totals of each directory, in the order of paths.
func (s *Summary) Dirs() (dirs []Totals) {
	for _, dir := range slices.SortedFunc(maps.Keys(s.byDir), comparePaths) {
		dirs = append(dirs, *s.byDir[dir])
	}
	return dirs
}

func (t *Totals) add(kind diff.Kind, d Details, content bool) {
	switch kind {
	case diff.Added:
		t.Added++
		t.BytesAdded += sizeOf(d.New)
	case diff.Removed:
		t.Removed++
		t.BytesRemoved += sizeOf(d.Old)
	case diff.Renamed:
		t.Renamed++
	default:
		t.Changed++
		if content {
			t.BytesBefore += sizeOf(d.Old)
			t.BytesAfter += sizeOf(d.New)
		}
	}
}

// sizeOf is the size of a regular file.
func sizeOf(h *object.Header) uint64 {
	if typeOf(h) != object.ModeRegular {
		return 0
	}
	return h.Size
}

// comparePaths orders as changes are ordered, part by part: a slash is less than anything else.
func comparePaths(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch x, y := a[i], b[i]; {
		case x == y:
		case x == '/':
			return -1
		case y == '/':
			return 1
		default:
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(len(a), len(b))
}
