package daemon

import (
	"context"
	"errors"
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
	had    bool // an earlier server has used one
}

func newIndexer(cfg *Config) *indexer {
	ix := &indexer{done: make(chan struct{})}
	state := IndexChecking
	if cfg.NoIndex || cfg.History || cfg.Remote != "" {
		state = IndexNone
	}
	ix.state.Store(&Index{State: state})
	return ix
}

// reopen maps the index that an earlier server has used, and the keeper holds.
func (ix *indexer) reopen(s *server) {
	file := s.keeper.Files[indexFile]
	if ix.had = file != nil; !ix.had {
		return
	}
	m, err := index.Reopen(file, s.view.root)
	if err != nil {
		ix.state.Store(&Index{State: IndexNone, Error: err.Error()})
		return
	}
	s.view.index = m
}

// reuse lets the view use the index that was reopened. One that has told what is
// not true is still needed to know what that was.
func (ix *indexer) reuse(s *server) {
	if s.view.index != nil && s.session.IndexError == "" {
		ix.use(s)
	} else if s.view.index != nil {
		s.view.fs.UseIndex(s.view.index.Index, func(error) {})
	}
	if s.session.IndexError != "" {
		ix.state.Store(&Index{State: IndexNone, Error: s.session.IndexError})
	}
}

// start looks for the index of a view, which it has built when there is none,
// and lets the view use it.
func (ix *indexer) start(s *server) {
	ctx, cancel := context.WithCancel(context.Background())
	ix.cancel = cancel
	go func() {
		defer close(ix.done)
		if s.cfg.NoIndex || s.cfg.History || s.cfg.Remote != "" || ix.had {
			return
		}
		if err := ix.run(ctx, s); err != nil {
			ix.state.Store(&Index{State: IndexNone, Error: err.Error()})
		}
	}()
}

func (ix *indexer) run(ctx context.Context, s *server) error {
	store := index.OpenStore(s.view.repo, s.cfg.CacheDir)
	defer store.Close()
	m, err := store.Open(s.view.root)
	if err != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(indexAfter):
		}
		ix.state.Store(&Index{State: IndexBuilding})
		if err := build(ctx, &s.cfg, s.view); err != nil {
			return err
		}
		if m, err = store.Open(s.view.root); err != nil {
			return err
		}
	}
	store.Sweep(s.view.repo)
	// The next server must have it before the kernel is told of it.
	if err := s.keeper.Keep(indexFile, m.File()); err != nil {
		return errors.Join(err, m.Close())
	}
	s.view.index = m
	ix.use(s)
	return nil
}

// use lets the view use its index.
func (ix *indexer) use(s *server) {
	ix.state.Store(&Index{State: IndexUsed, Bytes: s.view.index.Size()})
	used := s.view.fs.UseIndex(s.view.index.Index, func(why error) { ix.stale(s, why) })
	if !used {
		ix.stale(s, errDistrusted)
	}
}

// errDistrusted is why an index is used no more that an earlier server could not
// say any more of.
var errDistrusted = errors.New("it told what is not true")

// stale ends the use of the index for this mount.
func (ix *indexer) stale(s *server, why error) {
	ix.state.Store(&Index{State: IndexNone, Error: why.Error()})
	if err := s.change(func(at *session) { at.IndexError = why.Error() }); err != nil {
		s.warn(err)
	}
	stale := index.OpenStore(s.view.repo, s.cfg.CacheDir)
	defer stale.Close()
	stale.Drop(s.view.root)
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
