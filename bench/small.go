package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	readFiles  = 10000     // small files that are read
	readBuffer = 128 << 10 // what cat and cp use, in bytes
)

// askSmall asks about many small files in path order: for the first time in a new mount, when content
// is verified, or inflated, too; again; and warm. Then by several readers at once.
func (b *bench) askSmall(ctx context.Context) error {
	p, t := b.peers, b.main
	files := t.small(readFiles)
	peers := []peer{p.standard, p.bareUser, p.archive, p.checkout, p.erofs, p.squashfs}
	title := func(rest string) string { return fmt.Sprintf("%d small files, %s", len(files), rest) }
	questions := []question{
		{id: "small first", title: title("cold3, first time"), peers: peers, cold: true, before: renewAndDrop, timed: readBy(1, files)},
		{id: "small again", title: title("cold3, again"), peers: append(peers, p.squashfuse), cold: true, before: drop(dropAll), timed: readBy(1, files)},
		{id: "small warm", title: title("warm"), peers: append(peers, p.squashfuse), timed: readBy(1, files)},
	}
	few := []peer{p.standard, p.checkout, p.erofs}
	for _, n := range readers {
		cold, warm := fmt.Sprintf("%d readers, cold3, again", n), fmt.Sprintf("%d readers, warm", n)
		questions = append(questions,
			question{id: fmt.Sprintf("small again %d", n), title: title(cold), peers: few, cold: true, before: drop(dropAll), timed: readBy(n, files)},
			question{id: fmt.Sprintf("small warm %d", n), title: title(warm), peers: few, timed: readBy(n, files)},
		)
	}
	for i := range questions {
		questions[i].tree = t
	}
	return b.each(ctx, questions...)
}

// askTar asks for the whole tree as a stream, the large file left out: it has rows of its own.
func (b *bench) askTar(ctx context.Context) error {
	p, t := b.peers, b.main
	peers := []peer{p.standard, p.checkout, p.erofs, p.squashfs}
	return b.each(ctx,
		question{id: "tar cold3", title: fmt.Sprintf("`tar` of %s, cold3", t.name), tree: t, peers: peers, cold: true, before: drop(dropAll), timed: tar},
		question{id: "tar warm", title: fmt.Sprintf("`tar` of %s, warm", t.name), tree: t, peers: peers, timed: tar},
	)
}

// tar writes the tree to a pipe: tar reads no content when it sees /dev/null.
func tar(ctx context.Context, s spot) error {
	return runFor(ctx, deadline, struct{ io.Writer }{io.Discard}, "tar", "-cf-", "--exclude=./"+largeFile, "-C", s.dir, ".")
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
