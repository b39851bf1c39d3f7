package usage

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// blockSize is the unit of st_blocks, in bytes.
const blockSize = 512

// Amount is how much some files are.
type Amount struct {
	Count int    // of files
	Size  uint64 // bytes in them
	Disk  uint64 // bytes of the blocks that they take
}

func (a *Amount) add(b Amount) {
	a.Count += b.Count
	a.Size += b.Size
	a.Disk += b.Disk
}

func (a *Amount) addFile(st *unix.Stat_t) {
	a.add(Amount{1, uint64(st.Size), uint64(st.Blocks) * blockSize})
}

// addPath adds a file that may have disappeared.
func (a *Amount) addPath(path string) {
	var st unix.Stat_t
	if unix.Lstat(path, &st) == nil {
		a.addFile(&st)
	}
}

// statObject is what the file of an object of the repository itself takes.
func statObject(repo *objstore.Repo, name object.Name) (st unix.Stat_t, err error) {
	objects, path := repo.ObjectFile(name)
	if err = unix.Fstatat(int(objects.Fd()), path, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		err = fmt.Errorf("querying object %s: %w", name, err)
	}
	return st, err
}

// inParallel calls do for 0 to n-1, several at the same time. Worker tells them
// apart, from 0 on. It ends at the first error, or with ctx.
func inParallel(ctx context.Context, n int, do func(worker, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var threads sync.WaitGroup
	for worker := range workers() {
		threads.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(worker, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	threads.Wait()
	return context.Cause(ctx)
}

func workers() int { return runtime.GOMAXPROCS(0) }

// sums is how much the objects of each set of colours are, commits apart.
type sums struct {
	all     []Amount
	commits []Amount
}

// measure looks at every object of the repository.
func (g *graph) measure() (sums, error) {
	parts := make([]sums, workers())
	for i := range parts {
		parts[i] = sums{make([]Amount, len(g.palette.sets)), make([]Amount, len(g.palette.sets))}
	}
	err := inParallel(g.ctx, 256, func(worker, begin int) error {
		for kind := range g.colours {
			if err := g.measureBucket(&parts[worker], object.Kind(kind), byte(begin)); err != nil {
				return err
			}
		}
		return nil
	})
	for _, part := range parts[1:] {
		for s := range part.all {
			parts[0].all[s].add(part.all[s])
			parts[0].commits[s].add(part.commits[s])
		}
	}
	return parts[0], err
}

// measureBucket looks at the objects of a kind whose checksums begin alike.
func (g *graph) measureBucket(to *sums, kind object.Kind, begin byte) error {
	first, list := g.held.Bucket(kind, begin)
	for i, sum := range list {
		if err := g.ctx.Err(); err != nil {
			return err
		}
		st, err := statObject(g.repo, object.Name{Checksum: sum, Kind: kind})
		if err != nil {
			return err
		}
		s := g.colours[kind][first+i]
		to.all[s].addFile(&st)
		if kind == object.KindCommit {
			to.commits[s].addFile(&st)
		}
	}
	g.count.Measured.Add(int64(len(list)))
	return nil
}
