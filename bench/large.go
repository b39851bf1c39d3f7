package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// page is what a random read wants, and what a mapping is read by, in bytes.
const page = 4096

// askLarge asks about the large file, on each data path.
func (b *bench) askLarge(ctx context.Context) error {
	p, t := b.peers, b.main
	few := []peer{p.cached, p.passthrough, p.checkout, p.erofs}
	all := append(few, p.squashfs, p.squashfuse)
	warm := func(_ context.Context, s spot) error { return readAll(s.dir, t.largest()) }
	name := fmt.Sprintf("one file of %d MiB", b.large>>20)
	random := func(n, reads int) (string, func(context.Context, spot) error) {
		return fmt.Sprintf("%s, %d random reads", name, reads), b.readRandom(n, reads)
	}
	coldTitle, readCold := random(1, b.readCold)
	warmTitle, readWarm := random(1, b.readWarm)
	questions := []question{
		{id: "large warm", title: name + ", warm", peers: all, before: warm, timed: warm},
		{id: "random warm", title: warmTitle + ", warm", peers: few, before: warm, timed: readWarm},
		{id: "mmap warm", title: name + ", mapped, warm", peers: few, before: warm, timed: touch},
		{id: "large cold3", title: name + ", cold3", peers: all, cold: true, before: drop(dropAll), timed: warm},
		{id: "random cold3", title: coldTitle + ", cold3", peers: few, cold: true, before: drop(dropAll), timed: readCold},
		{id: "mmap cold3", title: name + ", mapped, cold3", peers: few, cold: true, before: drop(dropAll), timed: touch},
	}
	for _, n := range readers {
		_, readCold := random(n, b.readCold)
		_, readWarm := random(n, b.readWarm)
		questions = append(questions,
			question{id: fmt.Sprintf("random warm %d", n), title: fmt.Sprintf("%s by %d readers, warm", warmTitle, n), peers: few, before: warm, timed: readWarm},
			question{id: fmt.Sprintf("random cold3 %d", n), title: fmt.Sprintf("%s by %d readers, cold3", coldTitle, n), peers: few, cold: true, before: drop(dropAll), timed: readCold},
		)
	}
	for i := range questions {
		questions[i].tree = t
	}
	return b.each(ctx, questions...)
}

// readRandom reads a page at so many random places, the same each time, by n readers that share the work.
func (b *bench) readRandom(n, reads int) func(context.Context, spot) error {
	return func(_ context.Context, s spot) error {
		return together(n, func(i int) error {
			fd, err := unix.Open(filepath.Join(s.dir, largeFile), unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			rng, buf := rand.New(rand.NewPCG(uint64(i), 7)), make([]byte, page)
			for range reads / n {
				at := rng.Int64N(b.large/page) * page
				if got, err := unix.Pread(fd, buf, at); err != nil || got != page {
					return fmt.Errorf("%d bytes of %s at %d: %w", got, largeFile, at, err)
				}
			}
			return nil
		})
	}
}

// touch maps the large file and reads a byte of each page.
func touch(_ context.Context, s spot) error {
	fd, err := unix.Open(filepath.Join(s.dir, largeFile), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	mapped, err := unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	defer unix.Munmap(mapped)
	sum := byte(0)
	for i := 0; i < len(mapped); i += page {
		sum += mapped[i]
	}
	runtime.KeepAlive(sum) // else the compiler might leave out the reads
	return nil
}
