package main

import (
	"context"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// askUsable asks how long it takes until a tree can be used, and how long its index takes to build.
// All trees are asked about in the same rounds, as their times are compared.
func (b *bench) askUsable(ctx context.Context) error {
	var questions []question
	for _, t := range b.trees {
		questions = append(questions, question{
			id: "usable", title: fmt.Sprintf("mount %s, and read a byte", t.name), tree: t, fresh: true,
			peers:  []peer{b.peers.standard, b.peers.noIndex, b.peers.checkout, b.peers.erofs, b.peers.squashfs, b.peers.squashfuse},
			before: b.rehearse, after: remove,
			timed: func(ctx context.Context, s spot) error {
				if err := s.peer.place(ctx, t, s.dir); err != nil {
					return err
				}
				return readByte(s.dir, t.small(1))
			},
		}, question{
			id: "index", title: fmt.Sprintf("index of %s built", t.name), tree: t, fresh: true, like: "usable",
			peers: []peer{b.peers.indexing},
			before: func(ctx context.Context, s spot) error {
				if err := s.peer.renew(ctx, t, s.dir); err != nil {
					return err
				}
				return settle(ctx, s)
			},
			timed: func(ctx context.Context, s spot) error { return s.peer.place(ctx, t, s.dir) },
		})
	}
	return b.ask(ctx, questions...)
}

// rehearse lets the peer's program run once before it is measured: else it would start with what the
// peer before it left in the processor's caches, which differs from tree to tree.
func (b *bench) rehearse(ctx context.Context, s spot) error {
	if s.peer != peer(b.peers.checkout) {
		dir := b.fresh(s.peer)
		if err := s.peer.place(ctx, s.tree, dir); err != nil {
			return err
		}
		if err := s.peer.remove(ctx, dir); err != nil {
			return err
		}
	}
	return settle(ctx, s)
}

// settle waits until what was written before is on disk.
func settle(context.Context, spot) error {
	unix.Sync()
	return nil
}

func remove(ctx context.Context, s spot) error { return s.peer.remove(ctx, s.dir) }

// readByte reads the first byte of each file.
func readByte(root string, files []file) error {
	for _, f := range files {
		fd, err := unix.Open(filepath.Join(root, f.path), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
		_, err = unix.Read(fd, make([]byte, 1))
		unix.Close(fd)
		if err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
	}
	return nil
}
