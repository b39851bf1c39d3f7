package daemon

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"deployfs/mount"
)

const (
	// maxRead is the size of the largest READ, in bytes. At 1 MiB the kernel's
	// pipes, which splice needs, are too small.
	maxRead = 512 << 10
	// readAhead is how far the kernel reads ahead, in KiB.
	readAhead = 1024
	// endTime is how long a server that was told to end waits for the kernel.
	endTime = 2 * time.Second
)

// Serve mounts a commit and serves it until the mount is taken away or ctx
// ends, which takes the mount away. Run by Start, it tells when the tree can be
// used, and logs to the system's log.
func Serve(ctx context.Context, cfg Config) error {
	starter, err := newStarter()
	if err != nil {
		return err
	}
	s := &server{cfg: cfg, log: newLog(starter != nil), since: time.Now()}
	err = withRemedy(s.start(ctx))
	if err == nil && starter != nil {
		err = detach()
	}
	if err != nil {
		s.close()
	}
	if starter != nil {
		starter.tell(err)
	}
	if err != nil {
		return err
	}
	s.notify("READY=1")
	s.wait(ctx)
	s.notify("STOPPING=1")
	s.close()
	return nil
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
	conn    uint32 // number of the FUSE connection
	control *socket
	ended   chan struct{} // closed when the kernel has ended the connection
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
	if err == nil {
		go answer(s.control, s.status)
	}
	return err
}

// report logs why an entry can't be shown.
func (s *server) report(path string, err error) {
	s.log.Printf("%s: %s: %v", oneLine(s.cfg.Mountpoint), oneLine(path), err)
}

// source is how the mount table names what is mounted.
func (s *server) source() string { return s.cfg.Repo + "#" + s.view.commit.String() }

// attach mounts the view at target and begins to serve it.
func (s *server) attach(target string) error {
	dev, err := mount.FUSE(target, mount.Options{
		Source: s.source(), Subtype: "deployfs",
		AllowOther: s.cfg.AllowOther, NoSuid: s.cfg.NoSuid, MaxRead: maxRead,
	})
	if err != nil {
		return err
	}
	fuse, err := serve(s.view.fs, dev, s.log)
	if err != nil {
		return errors.Join(fmt.Errorf("mount %s: %w", target, err), mount.Unmount(target, true))
	}
	s.ended = make(chan struct{})
	go func() {
		fuse.Serve()
		close(s.ended)
	}()
	entry, err := mount.Lookup(target)
	if err != nil {
		return errors.Join(err, mount.Unmount(target, true))
	}
	s.conn, _ = entry.Connection()
	if err := mount.SetReadAhead(entry.Dev, readAhead); err != nil && !errors.Is(err, os.ErrPermission) {
		s.log.Printf("%s: %v", target, err)
	}
	return nil
}

// serve makes a server of the connection dev, which it takes over.
func serve(view gofuse.RawFileSystem, dev *os.File, logger *log.Logger) (*gofuse.Server, error) {
	defer dev.Close()
	fd, err := unix.FcntlInt(dev.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return gofuse.NewServer(view, fmt.Sprintf("/dev/fd/%d", fd), &gofuse.MountOptions{
		Name:                     "deployfs",
		MaxWrite:                 maxRead,
		EnableAcl:                true,
		EnableSymlinkCaching:     true,
		ExplicitDataCacheControl: true,
		DisabledCapabilities:     gofuse.CAP_PASSTHROUGH,
		Logger:                   logger,
	})
}

// attachBelow mounts the view below a writable layer. Once the layer stands,
// the view's own mount is detached: the layer keeps it alive, and taking the
// layer away ends both.
func (s *server) attachBelow() error {
	identity := s.view.commit.String() + " " + path.Clean("/"+s.cfg.Subpath)
	if err := mount.Bind(s.cfg.Overlay, identity); err != nil {
		return err
	}
	lower, err := mount.LowerDir(s.cfg.Overlay)
	if err != nil {
		return err
	}
	if err := mount.CheckMountpoint(lower, false); err != nil {
		return err
	}
	if err := s.attach(lower); err != nil {
		return err
	}
	err = mount.Overlay(lower, s.cfg.Overlay, s.cfg.Mountpoint, s.source())
	return errors.Join(err, mount.Unmount(lower, true))
}

// wait returns when the mount is gone, or takes it away when ctx ends.
func (s *server) wait(ctx context.Context) {
	select {
	case <-s.ended:
		return
	case <-ctx.Done():
	}
	if err := s.unmount(); err != nil {
		s.log.Printf("%v", err)
	}
}

// unmount takes the mount away, also when somebody still uses it.
func (s *server) unmount() error {
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
	return Status{
		Mountpoint: s.cfg.Mountpoint, Repo: s.cfg.Repo, Rev: s.cfg.Rev, Commit: s.view.commit.String(),
		Subpath: s.cfg.Subpath, Overlay: s.cfg.Overlay, Verify: s.cfg.Verify.String(),
		Partial: s.view.repo.IsPartial(s.view.commit), Locked: s.view.lock != nil,
		Connection: s.conn, PID: os.Getpid(), Since: s.since,
		Requests: f.Requests, Bytes: f.Bytes, Errors: f.Errors, Nodes: f.Nodes, OpenFiles: f.OpenFiles,
		Cache: Usage{f.CacheUsed, f.CacheLimit}, Spool: Usage{f.SpoolUsed, f.SpoolLimit},
	}
}
