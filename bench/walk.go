package main

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

// getdentsBuffer is what the C library gives the kernel for directory entries, in bytes.
const getdentsBuffer = 32 << 10

// askWalks asks how long readdir and lstat of everything take.
func (b *bench) askWalks(ctx context.Context) error {
	p := b.peers
	fast := []peer{p.standard, p.noIndex, p.checkout, p.erofs, p.squashfs}
	modes := []peer{p.standard, p.noIndex, p.bareUser, p.archive, p.checkout, p.erofs, p.squashfs, p.squashfuse}
	for _, t := range b.trees {
		if t == b.main || t.huge {
			continue
		}
		if err := b.ask(ctx, walkCold3(t, append(fast, p.squashfuse))); err != nil {
			return err
		}
	}
	t := b.main
	return b.each(ctx,
		question{
			id: "whole", title: fmt.Sprintf("mount %s, and walk it once, cold3", t.name), tree: t, peers: fast, fresh: true, cold: true,
			before: drop(dropAll), after: remove,
			timed: func(ctx context.Context, s spot) error {
				if err := s.peer.place(ctx, t, s.dir); err != nil {
					return err
				}
				return walkTree(ctx, s)
			},
		},
		walkCold3(t, modes),
		question{id: "walk cold2", title: fmt.Sprintf("walk %s, cold2", t.name), tree: t, peers: fast, cold: true, before: drop(dropInodes), timed: walkTree},
		question{id: "walk warm", title: fmt.Sprintf("walk %s, warm", t.name), tree: t, peers: modes, timed: walkTree},
	)
}

// askHuge asks for the walk that takes longest.
func (b *bench) askHuge(ctx context.Context) error {
	p := b.peers
	for _, t := range b.trees {
		if !t.huge || t == b.main {
			continue
		}
		if err := b.ask(ctx, walkCold3(t, []peer{p.standard, p.noIndex, p.checkout, p.erofs, p.squashfs, p.squashfuse})); err != nil {
			return err
		}
	}
	return nil
}

func walkCold3(t *tree, peers []peer) question {
	return question{
		id: "walk cold3", title: fmt.Sprintf("walk %s, cold3", t.name), tree: t, peers: peers, cold: true,
		before: drop(dropAll), timed: walkTree,
	}
}

// walkTree walks the tree and fails unless it is whole.
func walkTree(_ context.Context, s spot) error {
	w := walker{buf: make([]byte, getdentsBuffer)}
	if err := w.walk(unix.AT_FDCWD, s.dir); err != nil {
		return err
	}
	if w.seen != s.entries() {
		return fmt.Errorf("%d entries, %d are expected", w.seen, s.entries())
	}
	return nil
}

// walker counts what it walks over.
type walker struct {
	buf  []byte
	seen int
}

// walk lists the directory called name in the directory at, asks for the attributes of each entry,
// and then walks its subdirectories.
func (w *walker) walk(at int, name string) error {
	fd, err := unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("openat %s: %w", name, err)
	}
	defer unix.Close(fd)
	dirs, err := w.visit(fd)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, dir := range dirs {
		if err := w.walk(fd, dir); err != nil {
			return err
		}
	}
	return nil
}

// visit asks for every entry of the directory fd and returns the names of subdirectories.
func (w *walker) visit(fd int) (dirs []string, err error) {
	var names []string
	for {
		n, err := unix.Getdents(fd, w.buf)
		if err != nil {
			return nil, fmt.Errorf("getdents: %w", err)
		}
		if n == 0 {
			return dirs, nil
		}
		_, _, names = unix.ParseDirent(w.buf[:n], -1, names[:0])
		for _, name := range names {
			var st unix.Stat_t
			if err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
				return nil, fmt.Errorf("fstatat %s: %w", name, err)
			}
			if st.Mode&unix.S_IFMT == unix.S_IFDIR {
				dirs = append(dirs, name)
			}
		}
		w.seen += len(names)
	}
}
