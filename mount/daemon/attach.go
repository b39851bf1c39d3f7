package daemon

import (
	"errors"
	"fmt"
	"os"
	"path"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	fusesession "deployfs/fs/session"
	"deployfs/mount"
	"deployfs/mount/keeper"
)

const (
	maxRead   = 512 << 10 // bytes of the largest READ
	readAhead = 1024      // KiB that the kernel reads ahead
	// maxWaiting is how many requests the kernel has in flight that nobody waits for, as
	// when it reads ahead: it has 12 otherwise.
	maxWaiting = 512
)

// serving is the connection while it is served.
type serving = *fusesession.Session

// source is how the mount table names what is mounted.
func (s *server) source() string {
	if s.cfg.History {
		return s.cfg.Repo + "#" + historySource
	}
	return s.place() + "#" + s.view.commit.String()
}

// place is the repository, or the server that has it.
func (s *server) place() string {
	if s.cfg.Remote != "" {
		return s.view.server.URL
	}
	return s.cfg.Repo
}

// historySource stands in the mount table where the commit does of a mount that
// shows one.
const historySource = "history"

// attach mounts the view at target and begins to serve it.
func (s *server) attach(target string) error {
	dev, err := mount.FUSE(target, mount.Options{
		Source: s.source(), Subtype: "deployfs",
		AllowOther: s.cfg.AllowOther, NoSuid: s.cfg.NoSuid, NoExec: s.cfg.NoExec, MaxRead: maxRead,
	})
	if err != nil {
		return err
	}
	if err := s.connect(dev, target); err != nil {
		return errors.Join(fmt.Errorf("mount %s: %w", target, err), mount.Unmount(target, true))
	}
	return nil
}

// connect begins to serve what was mounted at target.
func (s *server) connect(dev *os.File, target string) error {
	at := &s.session
	if err := s.chooseData(); err != nil {
		return err
	}
	s.fuse = s.newSession(dev)
	if err := s.fuse.Begin(); err != nil {
		return err
	}
	if err := s.pass(dev); err != nil {
		return err
	}
	entry, err := mount.Lookup(target)
	if err != nil {
		return err
	}
	at.Connection, _ = entry.Connection()
	at.Mountpoint, at.Device = s.cfg.Mountpoint, entry.Dev.String()
	if !s.cfg.History {
		at.Commit, at.Tree, at.Meta = s.view.commit.String(), s.view.root.Tree.String(), s.view.root.Meta.String()
	}
	at.Server, at.Ref = s.view.server, s.view.found.Ref
	at.Server.Fetch.Known = nil // of no use any more, and large
	if err := s.view.found.Offline; err != nil {
		at.Stale = err.Error()
	}
	at.Mtime, at.Locked, at.Init = s.view.mtime, s.view.lock != nil, s.fuse.Init()
	if err := errors.Join(s.keep(dev), s.save()); err != nil {
		return err
	}
	s.serve()
	if err := mount.SetReadAhead(entry.Dev, readAhead); err != nil && !errors.Is(err, os.ErrPermission) {
		s.warn(err)
	}
	return nil
}

// reattach goes on serving a connection that an earlier server has served.
func (s *server) reattach() error {
	s.fuse = s.newSession(s.keeper.Files[keeper.Device])
	if s.session.Data.Path == DataPassthrough {
		s.view.fs.UsePassthrough(s.keeper)
	}
	if err := s.fuse.Resume(s.session.Init); err != nil {
		return err
	}
	s.serve()
	return nil
}

// newSession makes a session of a connection, with the options that all servers
// of the mount have.
func (s *server) newSession(dev *os.File) serving {
	opts := &gofuse.MountOptions{
		MaxWrite:                 maxRead,
		EnableAcl:                true,
		EnableSymlinkCaching:     true,
		ExplicitDataCacheControl: true,
		Logger:                   s.log,
		MaxStackDepth:            s.session.StackDepth,
	}
	if s.cfg.Remote != "" {
		opts.MaxBackground = maxWaiting // what is here must not wait for what is fetched
	}
	if s.session.StackDepth == 0 {
		opts.DisabledCapabilities = gofuse.CAP_PASSTHROUGH
	}
	return fusesession.New(dev, s.view.fs, opts, s.log.Printf)
}

// serve answers the kernel from now on.
func (s *server) serve() {
	go func() {
		if err := s.fuse.Serve(); err != nil {
			s.warn(err)
			os.Exit(1) // another server may do better
		}
		if !s.fuse.Stopped() {
			close(s.ended)
		}
	}()
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
	if err == nil {
		var entry mount.Entry
		entry, err = mount.Lookup(s.cfg.Mountpoint)
		err = errors.Join(err, s.change(func(at *session) { at.Device = entry.Dev.String() }))
	}
	return errors.Join(err, mount.Unmount(lower, true))
}
