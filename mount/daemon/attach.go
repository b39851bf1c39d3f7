package daemon

import (
	"errors"
	"fmt"
	"os"
	"path"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"deployfs/mount"
)

const (
	maxRead   = 512 << 10 // bytes of the largest READ
	readAhead = 1024      // KiB that the kernel reads ahead
)

// source is how the mount table names what is mounted.
func (s *server) source() string { return s.cfg.Repo + "#" + s.view.commit.String() }

// attach mounts the view at target and begins to serve it.
func (s *server) attach(target string) error {
	dev, err := mount.FUSE(target, mount.Options{
		Source: s.source(), Subtype: "deployfs",
		AllowOther: s.cfg.AllowOther, NoSuid: s.cfg.NoSuid, NoExec: s.cfg.NoExec, MaxRead: maxRead,
	})
	if err != nil {
		return err
	}
	fuse, err := s.serve(dev)
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
	s.device = entry.Dev
	if err := mount.SetReadAhead(entry.Dev, readAhead); err != nil && !errors.Is(err, os.ErrPermission) {
		s.log.Printf("%s: %v", target, err)
	}
	return nil
}

// serve makes a server of the connection dev, which it takes over, and chooses
// the data path.
func (s *server) serve(dev *os.File) (*gofuse.Server, error) {
	defer dev.Close()
	fd, err := unix.FcntlInt(dev.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	opts := &gofuse.MountOptions{
		Name:                     "deployfs",
		MaxWrite:                 maxRead,
		EnableAcl:                true,
		EnableSymlinkCaching:     true,
		ExplicitDataCacheControl: true,
		DisableSplice:            true, // READs are answered from memory
		Logger:                   s.log,
	}
	s.data = s.view.wantedData(&s.cfg)
	if s.data.Path != DataPassthrough {
		opts.DisabledCapabilities = gofuse.CAP_PASSTHROUGH
		return newServer(s.view.fs, fd, opts)
	}
	sample, err := s.view.sample(&s.cfg)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	defer sample.Close()
	opts.MaxStackDepth = stackDepth(sample)
	fuse, err := newServer(s.view.fs, fd, opts)
	if err == nil {
		err = s.pass(fuse, sample)
	}
	return fuse, err
}

func newServer(view gofuse.RawFileSystem, fd int, opts *gofuse.MountOptions) (*gofuse.Server, error) {
	return gofuse.NewServer(view, fmt.Sprintf("/dev/fd/%d", fd), opts)
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
	s.device = mount.Dev{}
	err = mount.Overlay(lower, s.cfg.Overlay, s.cfg.Mountpoint, s.source())
	if err == nil {
		var entry mount.Entry
		entry, err = mount.Lookup(s.cfg.Mountpoint)
		s.device = entry.Dev
	}
	return errors.Join(err, mount.Unmount(lower, true))
}
