package main

import (
	"context"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// askStats asks about programs that look at attributes without reading files.
func (b *bench) askStats(ctx context.Context) error {
	p, t := b.peers, b.main
	peers := []peer{p.standard, p.noIndex, p.checkout, p.erofs, p.squashfs}
	storm := b.storm()
	return b.each(ctx,
		question{id: "ls warm", title: fmt.Sprintf("`ls -lR` of %s, warm", t.name), tree: t, peers: peers, timed: list},
		question{id: "stat cold2", title: fmt.Sprintf("lstat of %s by path, cold2", t.name), tree: t, peers: peers, cold: true, before: drop(dropInodes), timed: storm},
		question{id: "stat warm", title: fmt.Sprintf("lstat of %s by path, warm", t.name), tree: t, peers: peers, timed: storm},
	)
}

// list runs the command that most people walk with. It wants extended attributes, too.
func list(ctx context.Context, s spot) error {
	return runFor(ctx, deadline, nil, "ls", "-lR", s.dir)
}

// storm asks for the attributes of every file and link by its full path, as `git status` does: no
// directory is listed.
func (b *bench) storm() func(context.Context, spot) error {
	var paths []string
	for _, f := range b.main.files {
		paths = append(paths, f.path)
	}
	for _, l := range b.main.links {
		paths = append(paths, l.path)
	}
	return func(_ context.Context, s spot) error {
		for _, path := range paths {
			var st unix.Stat_t
			if err := unix.Lstat(filepath.Join(s.dir, path), &st); err != nil {
				return fmt.Errorf("lstat %s: %w", path, err)
			}
		}
		return nil
	}
}
