package daemon

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore/index"
)

const (
	// indexAfter is how long a mount must have lived before an index is built
	// for it: who mounts for a glance does not pay.
	indexAfter = time.Second
	// builderNice is the priority of building: what readers leave.
	builderNice = 10
)

// indexer gets the index of a mounted tree while the tree is served.
type indexer struct {
	cancel context.CancelFunc
	done   chan struct{}
	state  atomic.Pointer[Index]
}

func newIndexer(cfg *Config) *indexer {
	ix := &indexer{done: make(chan struct{})}
	state := IndexChecking
	if cfg.NoIndex {
		state = IndexNone
	}
	ix.state.Store(&Index{State: state})
	return ix
}

// start looks for the index of a view, which it has built when there is none,
// and lets the view use it.
func (ix *indexer) start(cfg *Config, v *view) {
	ctx, cancel := context.WithCancel(context.Background())
	ix.cancel = cancel
	go func() {
		defer close(ix.done)
		if cfg.NoIndex {
			return
		}
		if err := ix.run(ctx, cfg, v); err != nil {
			ix.state.Store(&Index{State: IndexNone, Error: err.Error()})
		}
	}()
}

func (ix *indexer) run(ctx context.Context, cfg *Config, v *view) (err error) {
	store := index.OpenStore(v.repo, cfg.CacheDir)
	defer store.Close()
	if v.index, err = store.Open(v.root); err != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(indexAfter):
		}
		ix.state.Store(&Index{State: IndexBuilding})
		if err := build(ctx, cfg, v); err != nil {
			return err
		}
		if v.index, err = store.Open(v.root); err != nil {
			return err
		}
	}
	store.Sweep(v.repo)
	ix.state.Store(&Index{State: IndexUsed, Bytes: v.index.Size()})
	v.fs.UseIndex(v.index.Index, func(why error) {
		ix.state.Store(&Index{State: IndexNone, Error: why.Error()})
		stale := index.OpenStore(v.repo, cfg.CacheDir)
		defer stale.Close()
		stale.Drop(v.root)
	})
	return nil
}

// build runs this program to build the index: what that takes of memory is given
// back, and it can be of low priority. It ends with ctx.
func build(ctx context.Context, cfg *Config, v *view) error {
	// The child's life hangs on this thread's, it inherits its priority, and when
	// the server is confined this thread alone may signal it. So the thread is for
	// nothing else: it ends with the goroutine.
	runtime.LockOSThread()
	unix.Setpriority(unix.PRIO_PROCESS, 0, builderNice) // a favour, no more
	var stderr strings.Builder
	cmd := exec.Command("/proc/self/exe", "index", "--repo="+cfg.Repo, "--cache-dir="+cfg.CacheDir, "--subpath="+cfg.Subpath, "--", v.commit.String())
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("building index: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ctx.Done():
		cmd.Process.Kill() // or it has just ended
		<-ended
		return ctx.Err()
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("building index: %w: %s", err, Line(strings.TrimSpace(stderr.String())))
		}
		return nil
	}
}

// stop ends the work on the index, if it was started.
func (ix *indexer) stop() {
	if ix != nil && ix.cancel != nil {
		ix.cancel()
		<-ix.done
	}
}

func (ix *indexer) status() Index { return *ix.state.Load() }
