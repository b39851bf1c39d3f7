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
	Changed      int    `json:"changed"`
	Added        int    `json:"added"`
	Removed      int    `json:"removed"`
	BytesAdded   uint64 `json:"bytes_added"`
	BytesRemoved uint64 `json:"bytes_removed"`
}

// measure compares a commit with its parent, or with nothing when it has none here.
func (l *logger) measure(ctx context.Context, c history.Commit) (*logStat, error) {
	var old tree.Entry
	if !c.Parent.IsZero() {
		parent, err := l.repo.Commit(c.Parent)
		if err == nil {
			old = tree.Root(parent)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	s, err := history.Measure(ctx, l.repo, old, tree.Root(c.Commit), l.paths)
	return &logStat{s.Modified, s.Added, s.Removed, s.BytesAdded, s.BytesRemoved}, err
}

// printStat prints what is not zero.
func (l *logger) printStat(s logStat) error {
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
	if s.BytesAdded+s.BytesRemoved > 0 {
		line += fmt.Sprintf(", +%s -%s", amount(int64(s.BytesAdded)), amount(int64(s.BytesRemoved)))
	}
	if !l.oneline {
		line += "\n"
	}
	_, err := fmt.Fprintln(l.out, line)
	return err
}
