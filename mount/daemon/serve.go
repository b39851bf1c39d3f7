package daemon

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/fs"
	"deployfs/mount"
	"deployfs/mount/keeper"
)

const (
	// minThreads is how many threads may run Go code at least. Most of them wait
	// in the kernel at any time: for a request, or for a disk.
	minThreads = 4
	// stopTime is how long a server waits for its last answers.
	stopTime = 3 * time.Second
)

// Serve serves a mount for the keeper that has started this process, until the
// mount is taken away or another server takes over. Version is this program's.
func Serve(ctx context.Context, version string) error {
	runtime.GOMAXPROCS(max(2*runtime.GOMAXPROCS(0), minThreads)) // of what a container may use
	keeper.Tick()
	k, err := keeper.Connect(fs.StateVersion)
	if err != nil {
		return err
	}
	s := &server{keeper: k, version: version, ended: make(chan struct{}), stopped: make(chan struct{})}
	if err := WithRemedy(s.start(ctx)); err != nil {
		return k.Fail(err) // the keeper tells
	}
	if err := k.Ready(); err != nil {
		return err
	}
	go k.Obey(s)
	s.indexer.start(s)
	s.wait(ctx)
	return nil
}

// server is one mount while it is served.
type server struct {
	keeper  *keeper.Server
	version string
	cfg     Config
	log     *log.Logger
	view    *view
	fuse    serving

	mu      sync.Mutex // guards session
	session session

	indexer  *indexer
	confined atomic.Value  // string: what confine did
	ended    chan struct{} // closed when the kernel has ended the connection
	stop     sync.Once
	stopped  chan struct{} // closed when another server takes over
}

// start does everything until the tree can be used.
func (s *server) start(ctx context.Context) error {
	if err := decode(s.keeper.Config, &s.cfg); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	s.log = log.New(&eventWriter{s.logLine}, "", 0)
	if s.keeper.Session != nil {
		return s.resume()
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	if _, err := unix.Setsid(); err != nil {
		return os.NewSyscallError("setsid", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	s.confine()
	return nil
}

// begin mounts the commit.
func (s *server) begin(ctx context.Context) (err error) {
	if s.cfg.Overlay != "" && os.Geteuid() != 0 {
		return &Failure{Text: "--overlay needs root", Remedy: "run as root; in a user namespace of your own, `unshare -Urm` makes you that"}
	}
	if s.view, err = prepare(ctx, &s.cfg, s.report); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := mount.CheckMountpoint(s.cfg.Mountpoint, s.cfg.NonEmpty); err != nil {
		return err
	}
	if s.cfg.Mountpoint, err = mount.Canonical(s.cfg.Mountpoint); err != nil {
		return err
	}
	s.session.Since = time.Now()
	s.indexer = newIndexer(&s.cfg)
	if s.cfg.Overlay == "" {
		err = s.attach(s.cfg.Mountpoint)
	} else {
		err = s.attachBelow()
	}
	if err != nil {
		return err
	}
	if err := s.view.startKeeping(&s.cfg, s.warn); err != nil {
		return errors.Join(err, mount.Unmount(s.cfg.Mountpoint, true))
	}
	return nil
}

// resume goes on with a mount that an earlier server has served.
func (s *server) resume() (err error) {
	if err := decode(s.keeper.Session, &s.session); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	s.cfg.Mountpoint = s.session.Mountpoint
	if s.view, err = s.reopen(); err != nil {
		return err
	}
	if err := s.view.startKeeping(&s.cfg, s.warn); err != nil {
		return err
	}
	s.indexer = newIndexer(&s.cfg)
	s.indexer.reopen(s)
	s.confine()
	if s.keeper.Waits {
		if err := s.takeOver(); err != nil {
			return err
		}
	}
	if s.view.state, err = fs.OpenState(s.keeper.Files[stateFile]); err != nil {
		return err
	}
	if err := s.view.open(&s.cfg, s.session.Mtime, s.report); err != nil {
		return err
	}
	s.indexer.reuse(s)
	return s.reattach()
}

// takeOver waits until no other server answers. What that one has changed since
// this one began counts.
func (s *server) takeOver() error {
	was := s.keeper.Files[indexFile]
	if err := s.keeper.TakeOver(); err != nil {
		return err
	}
	if err := decode(s.keeper.Session, &s.session); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	if !sameFile(was, s.keeper.Files[indexFile]) {
		s.indexer.reopen(s)
	}
	return nil
}

func sameFile(a, b *os.File) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, err1 := a.Stat()
	y, err2 := b.Stat()
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// logLine has the keeper log a line; without it standard error is the last to tell.
func (s *server) logLine(level, line string) error {
	if s.keeper.Log(line) != nil {
		return stderr(level, line)
	}
	return nil
}

// report logs why an entry can't be shown.
func (s *server) report(path string, err error) {
	if errors.Is(err, errBack) {
		s.log.Print(event{level: levelInfo, mount: s.cfg.Mountpoint, reason: err.Error()})
		return
	}
	s.log.Print(failure(s.cfg.Mountpoint, path, err))
}

// warn logs what keeps the mount from working as well as it could.
func (s *server) warn(err error) {
	s.log.Print(event{level: levelWarning, mount: s.cfg.Mountpoint, reason: err.Error()})
}

// wait returns when this process is no longer needed. A signal that ends it is
// meant for the mount.
func (s *server) wait(ctx context.Context) {
	for {
		select {
		case <-s.ended:
			s.indexer.stop()
			s.view.keeps.close()
			return // the rest ends with the process, which may still be asked
		case <-s.stopped:
			return
		case <-ctx.Done():
			if s.keeper.End() != nil {
				return
			}
			ctx = context.Background()
		}
	}
}

// Stop ends this server after its last answer.
func (s *server) Stop() {
	s.fuse.Stop(stopTime)
	s.stop.Do(func() { close(s.stopped) })
}

var errAlone = errors.New("the keeper is gone: if this server dies, too, so does the mount")

// Alone is called when the keeper is gone.
func (s *server) Alone() {
	s.warn(errAlone)
	s.keeper.AnswerAlone(s)
}

// Status is what the server tells about itself.
func (s *server) Status(counts keeper.Counts) any {
	f := s.view.fs.Stats()
	confined, _ := s.confined.Load().(string)
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.session
	return Status{
		Mountpoint: s.cfg.Mountpoint, Repo: s.place(), Rev: s.cfg.Rev, Commit: at.Commit, History: s.cfg.History,
		Subpath: s.cfg.Subpath, Overlay: s.cfg.Overlay, Verify: s.cfg.Verify.String(),
		Partial: !s.cfg.History && s.view.repo.IsPartial(s.view.commit), Locked: at.Locked,
		Device: at.Device, Connection: at.Connection, PID: os.Getpid(), Since: at.Since, Version: s.version, Counts: counts,
		Requests: f.Requests, Bytes: f.Bytes, Errors: f.Errors, Damaged: f.Damaged, Nodes: f.Nodes, OpenFiles: f.OpenFiles,
		Data: at.Data.Path.String(), DataReason: at.Data.Reason, Index: s.indexer.status(), Confined: confined, Remote: s.remote(), Memory: Usage{f.MemoryUsed, f.MemoryLimit}, Cache: Usage{f.CacheUsed, f.CacheLimit},
	}
}
