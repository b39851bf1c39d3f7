package history

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// trail is the way to one path in the commit that was looked at last. It goes
// from commit to commit and opens only those directories that differ.
type trail struct {
	parts   []string     // of the path; none for the root
	entries []tree.Entry // the root, then each part as far as there are any
}

func newTrail(name string) *trail {
	t := new(trail)
	if name = path.Clean("/" + name)[1:]; name != "" {
		t.parts = strings.Split(name, "/")
	}
	return t
}

// move goes to another commit and returns the path's entry there; false when it
// has none.
func (t *trail) move(l tree.Loader, c object.Commit) (e tree.Entry, ok bool, err error) {
	e = tree.Root(c)
	entries := []tree.Entry{e}
	for depth, part := range t.parts {
		if depth < len(t.entries) && e.IsDir() && t.entries[depth].Tree == e.Tree {
			entries = append(entries, t.entries[depth+1:]...)
			break
		}
		e, err = tree.Lookup(l, e, part)
		if nowhere := (*tree.Error)(nil); errors.As(err, &nowhere) {
			break
		}
		if err != nil {
			return tree.Entry{}, false, err
		}
		entries = append(entries, e)
	}
	t.entries = entries
	if len(entries) <= len(t.parts) {
		return tree.Entry{}, false, nil
	}
	return entries[len(t.parts)], true, nil
}

// Changes finds out whether a commit changed some paths. Asked for one commit
// after another, each the parent of the one before, it looks at what differs only.
type Changes struct {
	loader *loader
	trails []*trail
}

// NewChanges is for paths from the root on, with or without a leading slash.
func NewChanges(l tree.Loader, paths []string) *Changes {
	c := &Changes{loader: newLoader(l)}
	for _, p := range paths {
		c.trails = append(c.trails, newTrail(p))
	}
	return c
}

// In reports whether at least one of the paths is not in the parent what it is in
// the commit: it has another content, or it is there in one of them only. For a
// directory that is a change of itself or of anything below it. Without a parent
// a path that is there is a change.
func (c *Changes) In(commit Commit, parent *Commit) (bool, error) {
	if parent != nil && parent.Root == commit.Root && parent.RootMeta == commit.RootMeta {
		return false, nil
	}
	for _, t := range c.trails {
		now, here, err := t.move(c.loader, commit.Commit)
		if err != nil {
			return false, inCommit(commit.Checksum, err)
		}
		before, there := tree.Entry{}, false
		if parent != nil {
			if before, there, err = t.move(c.loader, parent.Commit); err != nil {
				return false, inCommit(parent.Checksum, err)
			}
		}
		if here != there || here && !same(now, before) {
			return true, nil
		}
	}
	return false, nil
}

// same reports whether two entries are the same object.
func same(a, b tree.Entry) bool {
	return a.Tree == b.Tree && a.Meta == b.Meta && a.Content == b.Content
}

func inCommit(sum object.Checksum, err error) error { return fmt.Errorf("commit %s: %w", sum, err) }
