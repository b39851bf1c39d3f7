package daemon

import (
	"context"
	"errors"
	"log"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/mount"
)

// minThreads is how many threads may run Go code at least. Most of them wait in
// the kernel at any time: for a request, or for a disk.
const minThreads = 4

// endTime is how long a server that was told to end waits for the kernel.
const endTime = 2 * time.Second

// Serve mounts a commit and serves it until the mount is taken away or ctx
// ends, which takes the mount away. Run by Start, it tells when the tree can be
// used, and logs to the system's log.
func Serve(ctx context.Context, cfg Config) error {
	starter, err := newStarter()
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(max(2*runtime.GOMAXPROCS(0), minThreads)) // of what a container may use
	ctx, stop := untilHangup(ctx)
	defer stop()
	s := &server{cfg: cfg, log: newLog(starter != nil), since: time.Now()}
	err = WithRemedy(s.start(ctx))
	if err == nil && starter != nil {
		err = detach()
	}
	if err == nil {
		if !s.cfg.NoConfine {
			s.unmounter, err = newUnmounter(s.cfg.Mountpoint)
		}
		if e := s.confine(); e != nil {
			s.log.Printf("%s: %v", Line(s.cfg.Mountpoint), e)
		}
	}
	if err != nil {
		s.end()
	}
	if starter != nil {
		starter.tell(err)
	}
	if err != nil {
		return err
	}
	s.indexer.start(&s.cfg, s.view)
	if starter == nil {
		s.notify("READY=1")
		defer s.notify("STOPPING=1")
	}
	select {
	case <-s.ended:
	case <-ctx.Done():
	}
	s.end()
	return nil
}

// untilHangup ends with ctx, or when the terminal is closed, unless that was to
// be ignored. A log that nobody reads any more must not end the server.
func untilHangup(ctx context.Context) (context.Context, context.CancelFunc) {
	signal.Ignore(syscall.SIGPIPE)
	if signal.Ignored(syscall.SIGHUP) {
		return context.WithCancel(ctx)
	}
	return signal.NotifyContext(ctx, syscall.SIGHUP)
}

// notify tells the service manager, which is not worth failing for.
func (s *server) notify(state string) {
	if err := notify(state); err != nil {
		s.log.Printf("%v", err)
	}
}

// server is one mount while it is served.
type server struct {
	cfg     Config
	log     *log.Logger
	since   time.Time
	view    *view
	conn    uint32    // number of the FUSE connection
	device  mount.Dev // of what is mounted at the mountpoint, once it is
	control *socket
	ended   chan struct{} // closed when the kernel has ended the connection
	indexer *indexer
	data    DataPath

	confined  atomic.Value // string: what confine did
	unmounter *unmounter
}

// start does everything until the tree can be used.
func (s *server) start(ctx context.Context) (err error) {
	if err := s.cfg.absolute(); err != nil {
		return err
	}
	if s.cfg.Overlay != "" && os.Geteuid() != 0 {
		return &Failure{Text: "--overlay needs root", Remedy: "run as root; in a user namespace of your own, `unshare -Urm` makes you that"}
	}
	if s.view, err = prepare(ctx, &s.cfg, s.report); err != nil {
		return err
	}
	if err := mount.CheckMountpoint(s.cfg.Mountpoint, s.cfg.NonEmpty); err != nil {
		return err
	}
	if s.cfg.Mountpoint, err = mount.Canonical(s.cfg.Mountpoint); err != nil {
		return err
	}
	if s.control, err = listen(); err != nil {
		return err
	}
	if s.cfg.Overlay == "" {
		err = s.attach(s.cfg.Mountpoint)
	} else {
		err = s.attachBelow()
	}
	if err != nil {
		return err
	}
	s.indexer = newIndexer(&s.cfg)
	go answer(s.control, s.status)
	return nil
}

// report logs why an entry can't be shown.
func (s *server) report(path string, err error) {
	s.log.Printf("%s: %s: %v", Line(s.cfg.Mountpoint), Line(path), err)
}

// end takes the mount away, if it is still there, and gives everything back.
func (s *server) end() {
	if s.mine() {
		if err := s.unmount(); err != nil {
			s.log.Printf("%v", err)
		}
	}
	s.close()
}

// mine reports whether what is mounted at the mountpoint is this server's: not
// what somebody else mounted over it, or after it. Device numbers are used
// again, but not before the connection has ended; if it has and something is
// there, it is ours only when it was aborted, and dead.
func (s *server) mine() bool {
	if s.device == (mount.Dev{}) {
		return false
	}
	entry, err := mount.Lookup(s.cfg.Mountpoint)
	if err != nil || entry.Dev != s.device {
		return false
	}
	var st unix.Statfs_t
	return !s.idle() || unix.Statfs(s.cfg.Mountpoint, &st) == unix.ENOTCONN
}

// unmount takes the mount away, also when somebody still uses it.
func (s *server) unmount() error {
	if s.unmounter != nil {
		return s.unmounter.unmount()
	}
	err := mount.Unmount(s.cfg.Mountpoint, false)
	if errors.Is(err, mount.ErrBusy) {
		err = mount.Unmount(s.cfg.Mountpoint, true)
	}
	return err
}

// close gives back what start took, once the kernel asks no more. Whoever still
// has files open after endTime gets ENOTCONN when the process ends. The control
// socket goes after the repository's lock: who no longer finds it can prune.
func (s *server) close() {
	s.indexer.stop()
	if s.ended != nil {
		select {
		case <-s.ended:
		case <-time.After(endTime):
		}
	}
	if s.view != nil {
		s.view.unlock()
	}
	if s.control != nil {
		s.control.Close() // it was only read
	}
	if s.view != nil && s.idle() {
		s.view.Close()
	}
}

// idle reports whether the kernel can't ask any more.
func (s *server) idle() bool {
	select {
	case <-s.ended:
		return true
	default:
		return s.ended == nil
	}
}

// status is what the server tells about itself.
func (s *server) status() Status {
	f := s.view.fs.Stats()
	confined, _ := s.confined.Load().(string)
	return Status{
		Mountpoint: s.cfg.Mountpoint, Repo: s.cfg.Repo, Rev: s.cfg.Rev, Commit: s.view.commit.String(),
		Subpath: s.cfg.Subpath, Overlay: s.cfg.Overlay, Verify: s.cfg.Verify.String(),
		Partial: s.view.repo.IsPartial(s.view.commit), Locked: s.view.lock != nil,
		Device: s.device.String(), Connection: s.conn, PID: os.Getpid(), Since: s.since,
		Requests: f.Requests, Bytes: f.Bytes, Errors: f.Errors, Nodes: f.Nodes, OpenFiles: f.OpenFiles,
		Data: s.data.Path.String(), DataReason: s.data.Reason, Index: s.indexer.status(), Confined: confined, Memory: Usage{f.MemoryUsed, f.MemoryLimit}, Cache: Usage{f.CacheUsed, f.CacheLimit},
	}
}
