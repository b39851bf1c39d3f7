package main

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

// getdentsBuffer is what the C library gives the kernel for directory entries, in bytes.
const getdentsBuffer = 32 << 10

// askWalk asks how long readdir and lstat of everything take, and `ls -l`, which wants xattrs, too.
func (b *bench) askWalk(ctx context.Context) error {
	questions := []question{
		{title: "walk, cold3", before: drop(dropAll), timed: b.walkBig},
		{title: "walk, cold2", before: drop(dropInodes), timed: b.walkBig},
		{title: "walk, warm", timed: b.walkBig},
		{title: "`ls -lR`, warm", timed: list},
	}
	for _, q := range questions {
		if q.before != nil && !b.cold {
			continue
		}
		q.dir = b.standing
		if err := b.ask(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// list runs the command that most people walk with.
func list(ctx context.Context, _ peer, dir string) error {
	_, err := run(ctx, "ls", "-lR", dir)
	return err
}

// drop is what comes before a cold measurement.
func drop(what string) func(context.Context, peer, string) error {
	return func(context.Context, peer, string) error { return dropCaches(what) }
}

// walkBig walks the big tree at dir and fails unless it is whole.
func (b *bench) walkBig(_ context.Context, _ peer, dir string) error {
	w := walker{buf: make([]byte, getdentsBuffer)}
	if err := w.walk(unix.AT_FDCWD, dir); err != nil {
		return err
	}
	if w.seen != b.big.entries() {
		return fmt.Errorf("%d entries, %d are expected", w.seen, b.big.entries())
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
