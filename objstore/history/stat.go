package history

import (
	"context"

	"deployfs/objstore/diff"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// Stat is the size of a change: numbers of paths, directories among them, and
// bytes of content.
type Stat struct {
	Added, Removed, Changed  int
	BytesAdded, BytesRemoved uint64 // of files that were added or removed
	BytesBefore, BytesAfter  uint64 // of files whose content, mode, owner or xattrs have changed
}

// Sizer reads directories and the headers of content objects.
type Sizer interface {
	tree.Loader
	Stat(content object.Checksum) (object.Header, error)
}

// Measure finds the size of the change from one root directory to another, at the
// given paths and below, or everywhere. The zero Entry is an empty tree. More than
// two million paths are too many: few objects can make a tree of any size.
func Measure(ctx context.Context, s Sizer, old, new tree.Entry, paths []string) (stat Stat, err error) {
	o := diff.Options{Deep: true, Within: diff.NewPaths(paths)}
	left := maxMeasured
	err = o.Trees(ctx, newLoader(s), old, new, func(c diff.Change) error {
		if left--; left < 0 {
			return errMeasured
		}
		before, after := &stat.BytesBefore, &stat.BytesAfter
		switch c.Kind {
		case diff.Added:
			stat.Added++
			after = &stat.BytesAdded
		case diff.Removed:
			stat.Removed++
			before = &stat.BytesRemoved
		default:
			stat.Changed++
		}
		if err := addSize(s, before, c.Old); err != nil {
			return err
		}
		return addSize(s, after, c.New)
	})
	return stat, err
}

func addSize(s Sizer, sum *uint64, e tree.Entry) error {
	if e.Content.IsZero() {
		return nil
	}
	h, err := s.Stat(e.Content)
	*sum += h.Size
	return err
}
