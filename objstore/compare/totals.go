package compare

import (
	"context"
	"maps"
	"path"
	"slices"
	"strings"

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

// Sum counts changes by directory: all of them, and each directory's in the order of paths.
func Sum(ctx context.Context, list []Change, old, new Side) (all Totals, dirs []Totals, err error) {
	byDir := map[string]*Totals{}
	for _, c := range list {
		if err := ctx.Err(); err != nil {
			return all, nil, err
		}
		d, err := Describe(c, old, new)
		if err != nil {
			return all, nil, err
		}
		content, err := d.ContentDiffers(c, old, new)
		if err != nil {
			return all, nil, err
		}
		dir := path.Dir(c.Path)
		if byDir[dir] == nil {
			byDir[dir] = &Totals{Dir: dir}
		}
		byDir[dir].add(c.Kind, d, content)
		all.add(c.Kind, d, content)
	}
	for _, dir := range slices.SortedFunc(maps.Keys(byDir), comparePaths) {
		dirs = append(dirs, *byDir[dir])
	}
	return all, dirs, nil
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

// comparePaths orders as changes are ordered: part by part.
func comparePaths(a, b string) int {
	return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
}
