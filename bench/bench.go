package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// bench is one run: its trees, committed to one repository, and what was measured so far.
type bench struct {
	options
	start      time.Time
	work       string
	small, big *forest
	peers      []peer
	rows       []row
	placed     int // directories that fresh gave out
}

// runAll asks every question in the work directory and prints the table.
func runAll(ctx context.Context, o options, work string) (err error) {
	runtime.LockOSThread()
	debug.SetGCPercent(-1) // ask collects between measurements
	b := &bench{options: o, start: time.Now(), work: work}
	defer func() { err = errors.Join(err, unmountBelow(work)) }()
	before := load()
	for _, step := range []func(context.Context) error{b.prepare, b.stand, b.askMount, b.askWalk, b.askRead, b.askMemory, b.fall} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return b.print(os.Stdout, machineFacts(o.deployfs, work, before))
}

// prepare writes the trees, and commits them to one repository, whose files the checkouts share.
func (b *bench) prepare(ctx context.Context) error {
	repo := filepath.Join(b.work, "repo")
	if _, err := run(ctx, "ostree", "init", "--repo="+repo, "--mode=bare"); err != nil {
		return err
	}
	b.small, b.big = plan("small", b.options.small, 0), plan("big", b.options.big, b.large<<20)
	for _, f := range []*forest{b.small, b.big} {
		root := filepath.Join(b.work, "tree-"+f.name)
		if err := f.grow(root); err != nil {
			return err
		}
		if _, err := run(ctx, "ostree", "commit", "--repo="+repo, "-b", f.name, "--tree=dir="+root, "--fsync=false"); err != nil {
			return err
		}
	}
	b.peers = []peer{mounted{b.deployfs, repo}, checkout{repo}}
	return nil
}

// stand places the big tree for everything that needs one.
func (b *bench) stand(ctx context.Context) error {
	for _, p := range b.peers {
		if err := p.place(ctx, b.big.name, b.standing(p)); err != nil {
			return err
		}
	}
	return nil
}

// standing is where a peer has the big tree between stand and fall.
func (b *bench) standing(p peer) string { return filepath.Join(b.work, "standing-"+dirName(p)) }

// fall takes away what stand placed.
func (b *bench) fall(ctx context.Context) error {
	for _, p := range b.peers {
		if err := p.remove(ctx, b.standing(p)); err != nil {
			return err
		}
	}
	return nil
}

// fresh gives a peer a directory that was not there before.
func (b *bench) fresh(p peer) string {
	b.placed++
	return filepath.Join(b.work, fmt.Sprintf("%s-%d", dirName(p), b.placed))
}

// dirName is the peer's name without what a shell would take apart.
func dirName(p peer) string { return strings.NewReplacer(" ", "-", "`", "").Replace(p.name()) }

// unmountBelow takes every mount below dir away, whoever uses it: a walk that hangs ends with an error.
func unmountBelow(dir string) error {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var errs []error
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) > 4 && strings.HasPrefix(fields[4], dir+"/") {
			errs = append(errs, unix.Unmount(fields[4], unix.MNT_FORCE|unix.MNT_DETACH))
		}
	}
	return errors.Join(errs...)
}
