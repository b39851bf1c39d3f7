package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"deployfs/objstore/history"
	"deployfs/objstore/tree"
)

// logStat is the size of a commit's change in JSON; see [history.Stat].
type logStat struct {
	Added        int    `json:"added"`
	Removed      int    `json:"removed"`
	Changed      int    `json:"changed"`
	BytesAdded   uint64 `json:"bytes_added"`
	BytesRemoved uint64 `json:"bytes_removed"`
	BytesBefore  uint64 `json:"bytes_before"` // of files that have changed
	BytesAfter   uint64 `json:"bytes_after"`
}

// measure compares a commit with its parent, or with nothing when it has none here.
func (l *logger) measure(ctx context.Context, c history.Commit) (*logStat, error) {
	var old tree.Entry
	if !c.Parent.IsZero() {
		parent, err := l.store.Commit(c.Parent)
		if err == nil {
			old = tree.Root(parent)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	s, err := history.Measure(ctx, l.store, old, tree.Root(c.Commit), l.paths)
	stat := logStat(s)
	return &stat, err
}

// printStat prints what is not zero; without a parent everything is new.
func (l *logger) printStat(s logStat, shallow bool) error {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{s.Changed, "changed"}, {s.Added, "added"}, {s.Removed, "removed"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing changed"}
	}
	line := " " + strings.Join(parts, ", ")
	if plus, minus := s.BytesAdded+s.BytesAfter, s.BytesRemoved+s.BytesBefore; plus+minus > 0 {
		line += fmt.Sprintf(", +%s -%s", amount(int64(plus)), amount(int64(minus)))
	}
	if shallow {
		line += ": all, as the parent is not here"
	}
	if !l.oneline {
		line += "\n"
	}
	_, err := fmt.Fprintln(l.out, line)
	return err
}
