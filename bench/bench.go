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

// bench is one run: its trees, its peers, and what was measured so far.
type bench struct {
	options
	work     string
	trees    []*tree // smallest first
	main     *tree   // that most questions are about
	graft    graft   // of main
	peers    peers
	web      *webServer
	rows     []row
	standing map[place]string // directories where peers have trees between questions
	placed   int              // directories that fresh gave out
	failures []error
}

// peers are all ways to make a tree usable.
type peers struct {
	standard, noIndex, cached, passthrough, bareUser, archive *mounted

	indexing *indexing
	checkout *checkout

	erofs, squashfs, squashfuse *image
}

// place is what stands somewhere.
type place struct {
	peer peer
	tree *tree
}

// runAll asks every question in the work directory, and prints and writes the table.
func runAll(ctx context.Context, o options, work string) (err error) {
	runtime.LockOSThread()
	runtime.GOMAXPROCS(max(runtime.NumCPU(), mostReaders)) // each reader has a thread
	debug.SetGCPercent(-1)                                 // measure collects beforehand
	debug.SetPanicOnFault(true)                            // a mapped file may go away
	defer func() { err = errors.Join(err, unmountBelow(work)) }()
	before := load()
	b, err := newBench(ctx, o, work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.web.stop()) }()
	for _, section := range []func(context.Context) error{
		b.askUsable, b.askDiff, b.askWalks, b.askStats, b.askSmall, b.askTar, b.askPrograms, b.askLarge, b.askMemory, b.askHuge, b.askLog, b.askHistory, b.askWrites, b.askDeltas, b.askWire,
	} {
		if err := section(ctx); err != nil {
			return err
		}
		b.fall(ctx)
	}
	return errors.Join(b.publish(machineFacts(o.deployfs, work, before)), errors.Join(b.failures...))
}

// newBench plans the trees. The main one is the largest that is not huge.
func newBench(ctx context.Context, o options, work string) (*bench, error) {
	b := &bench{options: o, work: work, standing: map[place]string{}}
	b.web = &webServer{dir: filepath.Join(work, "web"), root: work, delay: o.delay}
	p, err := newProgram(ctx, o.deployfs, work)
	if err != nil {
		return nil, err
	}
	b.peers = newPeers(p)
	if b.graft, err = newGraft(ctx, o.deployfs, o.sources); err != nil {
		return nil, err
	}
	at := 0
	for i, n := range o.sizes {
		if n <= o.huge {
			at = i
		}
	}
	for i, n := range o.sizes {
		s := shape{tiny: n > o.huge}
		if i == at {
			s.large, s.graft = o.large, b.graft
		}
		b.trees = append(b.trees, newTree(work, n, n > o.huge, s))
	}
	b.main = b.trees[at]
	return b, nil
}

func newPeers(p program) peers {
	e, s, f := images()
	return peers{
		standard:    &mounted{p, "default", bare, ""},
		noIndex:     &mounted{p, "no index", bare, "--no-index"},
		cached:      &mounted{p, "cached", bare, "--data=cached"},
		passthrough: &mounted{p, "passthrough", bare, "--data=passthrough"},
		bareUser:    &mounted{p, "bare-user", bareUser, ""},
		archive:     &mounted{p, "archive", archive, ""},
		indexing:    &indexing{p},
		checkout:    &checkout{},
		erofs:       e, squashfs: s, squashfuse: f,
	}
}

// stand places a tree for every question that needs it, once, and says where.
func (b *bench) stand(ctx context.Context, p peer, t *tree) (string, error) {
	key := place{p, t}
	if dir := b.standing[key]; dir != "" {
		return dir, nil
	}
	dir := b.fresh(p)
	if err := p.place(ctx, t, dir); err != nil {
		return "", err
	}
	if m, ok := p.(*mounted); ok {
		if err := m.ready(ctx, dir); err != nil {
			return "", errors.Join(err, unmountBelow(dir))
		}
	}
	b.standing[key] = dir
	return dir, nil
}

// fall takes away what stand placed, but for checkouts: they serve the next questions, too.
func (b *bench) fall(ctx context.Context) {
	for key, dir := range b.standing {
		if key.peer == peer(b.peers.checkout) {
			continue
		}
		delete(b.standing, key)
		if err := key.peer.remove(ctx, dir); err != nil {
			b.fail(fmt.Errorf("%s: %w", key.peer.column(), err))
			unmountBelow(dir)
		}
	}
}

// fail notes an error that does not end the run.
func (b *bench) fail(err error) {
	say("%v", err)
	b.failures = append(b.failures, err)
}

// fresh gives a peer a directory that was not there before.
func (b *bench) fresh(p peer) string {
	b.placed++
	name := strings.ReplaceAll(p.column()+" "+p.variant(), " ", "-")
	return filepath.Join(b.work, fmt.Sprintf("at-%d-%s", b.placed, name))
}

var started = time.Now()

// say tells on standard error what goes on.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%5.0f s: %s\n", time.Since(started).Seconds(), fmt.Sprintf(format, args...))
}

// unmountBelow takes every mount at or below dir away, whoever uses it: a walk that hangs ends with an
// error.
func unmountBelow(dir string) error {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var errs []error
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) > 4 && (fields[4] == dir || strings.HasPrefix(fields[4], dir+"/")) {
			errs = append(errs, unix.Unmount(fields[4], unix.MNT_FORCE|unix.MNT_DETACH))
		}
	}
	return errors.Join(errs...)
}
