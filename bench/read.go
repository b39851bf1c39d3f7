package main

import (
	"context"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	readFiles  = 10000     // small files that are read
	readBuffer = 128 << 10 // what cat and cp use, in bytes
)

// askRead asks how long reading takes: of many small files in path order, and of a large one.
func (b *bench) askRead(ctx context.Context) error {
	small, large := b.readSet()
	if err := b.askFiles(ctx, fmt.Sprintf("read %d small files", len(small)), small); err != nil {
		return err
	}
	return b.askFiles(ctx, fmt.Sprintf("read one file of %d MiB", b.large), large)
}

// askFiles asks about some files: for the first time, when content is verified, too; again; and warm.
func (b *bench) askFiles(ctx context.Context, title string, files []file) error {
	questions := []question{
		{title: title + ", cold3, first time", before: b.renewAndDrop},
		{title: title + ", cold3, again", before: drop(dropAll)},
		{title: title + ", warm"},
	}
	for _, q := range questions {
		if q.before != nil && !b.cold {
			continue
		}
		q.dir = b.standing
		q.timed = func(_ context.Context, _ peer, dir string) error { return readAll(dir, files) }
		if err := b.ask(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// renewAndDrop makes the next read of everything the first one of a new mount.
func (b *bench) renewAndDrop(ctx context.Context, p peer, dir string) error {
	if err := p.renew(ctx, b.big.name, dir); err != nil {
		return err
	}
	return dropCaches(dropAll)
}

// readSet picks the files that are read. Small ones lie side by side, as in a program's own directory.
func (b *bench) readSet() (small, large []file) {
	for _, f := range b.big.files {
		switch {
		case f.path == largeFile:
			large = append(large, f)
		case f.size <= smallFile && len(small) < readFiles:
			small = append(small, f)
		}
	}
	return small, large
}

// readAll opens, reads to the end and closes one file after the other.
func readAll(root string, files []file) error {
	buf := make([]byte, readBuffer)
	for _, f := range files {
		if err := readFile(filepath.Join(root, f.path), f.size, buf); err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
	}
	return nil
}

func readFile(path string, size int64, buf []byte) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Read(fd, buf)
		if err != nil {
			return err
		}
		if n == 0 && size != 0 {
			return fmt.Errorf("%d bytes are missing", size)
		}
		if n == 0 {
			return nil
		}
		size -= int64(n)
	}
}
