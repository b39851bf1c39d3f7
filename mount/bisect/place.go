package bisect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"deployfs/mount"
	"deployfs/mount/daemon"
)

// Mount has the commit under test mounted, and nothing else in its place. It is
// nothing to do when it is so already.
func (s *Session) Mount(ctx context.Context) error {
	shown, mounted, err := s.shown()
	if err != nil {
		return err
	}
	if mounted && shown.Commit == s.Testing && shown.PID != 0 {
		return nil
	}
	if err := s.unmount(); err != nil {
		return err
	}
	if s.Mountpoint == s.ownMountpoint() {
		if err := os.MkdirAll(s.Mountpoint, 0o700); err != nil {
			return err
		}
	}
	cfg := daemon.Default(s.Repo, s.Testing, s.Mountpoint)
	cfg.NoIndex = true // it is looked at once
	return daemon.Start(ctx, cfg)
}

// Mounted reports whether the commit under test is mounted.
func (s *State) Mounted() bool {
	shown, mounted, err := s.shown()
	return err == nil && mounted && shown.Commit == s.Testing && shown.PID != 0
}

// shown is what is mounted in the search's place. What is not of this repository
// is an error: somebody else has put it there.
func (s *State) shown() (shown daemon.Status, mounted bool, err error) {
	entry, err := mount.Lookup(s.Mountpoint)
	if errors.Is(err, mount.ErrNotMounted) || errors.Is(err, os.ErrNotExist) {
		return shown, false, nil
	}
	if err != nil {
		return shown, false, err
	}
	list, err := daemon.List()
	if err != nil {
		return shown, true, err
	}
	at := slices.IndexFunc(list, func(m daemon.Status) bool { return m.Device == entry.Dev.String() })
	if at < 0 || list[at].Repo != s.Repo {
		return shown, true, &daemon.Failure{
			Text:   fmt.Sprintf("%s: something else is mounted there: %s", daemon.Line(s.Mountpoint), daemon.Line(entry.Source)),
			Remedy: "take it away; `deployfs bisect resume` goes on then",
		}
	}
	return list[at], true, nil
}

// unmount takes the search's mount away, if there is one.
func (s *State) unmount() error {
	_, mounted, err := s.shown()
	if err != nil || !mounted {
		return err
	}
	return daemon.Unmount(s.Mountpoint, false)
}
