package main

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

// askMount asks how long it takes until a tree can be used, and until it was seen whole. Both trees
// are asked about in the same rounds, as their times are compared.
func (b *bench) askMount(ctx context.Context) error {
	err := b.ask(ctx, b.usable(b.small), b.usable(b.big))
	if err != nil {
		return err
	}
	return b.ask(ctx, question{
		title: "big tree usable, and walked once",
		dir:   b.fresh, before: settle, after: remove,
		timed: func(ctx context.Context, p peer, dir string) error {
			if err := p.place(ctx, b.big.name, dir); err != nil {
				return err
			}
			return b.walkBig(ctx, p, dir)
		},
	})
}

// usable is the question how long it takes until a tree can be used.
func (b *bench) usable(f *forest) question {
	return question{
		title: fmt.Sprintf("%s tree (%d entries) usable", f.name, f.entries()),
		dir:   b.fresh, before: b.rehearse, after: remove,
		timed: func(ctx context.Context, p peer, dir string) error { return p.place(ctx, f.name, dir) },
	}
}

// rehearse lets the peer's program run once before it is measured: else it would start with what the
// other peer left in the processor's caches, which differs from tree to tree.
func (b *bench) rehearse(ctx context.Context, p peer, dir string) error {
	if err := p.renew(ctx, b.big.name, b.standing(p)); err != nil {
		return err
	}
	return settle(ctx, p, dir)
}

// settle waits until what was written before is on disk.
func settle(context.Context, peer, string) error {
	unix.Sync()
	return nil
}

func remove(ctx context.Context, p peer, dir string) error { return p.remove(ctx, dir) }
