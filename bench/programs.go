package main

import (
	"context"
	"fmt"
	"path/filepath"
)

// askPrograms asks about programs that run from the tree, or read much of it, all of it warm.
func (b *bench) askPrograms(ctx context.Context) error {
	p, t, g := b.peers, b.main, b.graft
	peers := []peer{p.standard, p.checkout, p.erofs}
	times := func(run func(context.Context, spot) error) func(context.Context, spot) error {
		return func(ctx context.Context, s spot) error {
			for range b.execs {
				if err := run(ctx, s); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return b.each(ctx,
		question{
			id: "exec", title: fmt.Sprintf("run one big program %d times, warm", b.execs), tree: t, peers: peers,
			timed: times(func(ctx context.Context, s spot) error {
				return runFor(ctx, deadline, nil, filepath.Join(s.dir, g.static), "--version")
			}),
		},
		question{
			id: "dynamic", title: fmt.Sprintf("run a program of %d libraries %d times, warm", g.libraries(), b.execs), tree: t, peers: peers,
			absent: absentIf(g.loader == "", "no libraries of ostree were found"),
			timed: times(func(ctx context.Context, s spot) error {
				return runFor(ctx, deadline, nil, filepath.Join(s.dir, g.loader), "--library-path", filepath.Join(s.dir, libraryDir),
					filepath.Join(s.dir, g.dynamic), "--version")
			}),
		},
		question{
			id: "compiler", title: fmt.Sprintf("`gofmt -l` of %d sources, warm", g.sourceCount), tree: t, peers: peers,
			absent: absentIf(g.sources == "", "no Go sources or no gofmt here"),
			timed: func(ctx context.Context, s spot) error {
				return runFor(ctx, deadline, nil, "gofmt", "-l", filepath.Join(s.dir, g.sources))
			},
		},
	)
}

// libraries is how many the dynamic program has.
func (g graft) libraries() (n int) {
	for _, f := range g.files {
		if filepath.Dir(f.path) == libraryDir {
			n++
		}
	}
	return n
}

// absentIf is the reason if it applies.
func absentIf(applies bool, reason string) string {
	if applies {
		return reason
	}
	return ""
}
