package bisect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"deployfs/mount"
	"deployfs/mount/daemon"
	"deployfs/objstore"
)

// Mount has the commit under test mounted, and nothing else in its place. It is
// nothing to do when it is so already.
func (s *Session) Mount(ctx context.Context) error {
	there, err := s.vacate(s.Testing)
	if there || err != nil {
		return err
	}
	if s.Mountpoint == ownMountpoint(s.dir) {
		if err := os.MkdirAll(s.Mountpoint, 0o700); err != nil {
			return err
		}
	}
	cfg := daemon.Default(s.Repo, s.Testing, s.Mountpoint)
	cfg.NoIndex = true // it is looked at once
	return withRemedy(daemon.Start(ctx, cfg))
}

// withRemedy words the remedy for a search where a mount has an option for it. Of
// the error, which another process has met, only the text is left.
func withRemedy(err error) error {
	failure := new(daemon.Failure)
	if errors.As(err, &failure) && strings.Contains(failure.Text, objstore.ErrLocked.Error()) {
		return &daemon.Failure{Text: failure.Text, Remedy: "wait until ostree has ended; `deployfs bisect resume` goes on then"}
	}
	return err
}

// Mounted reports whether the commit under test is mounted.
func (s *State) Mounted() bool {
	shown, mounted, err := s.shown()
	return err == nil && mounted && shows(shown, s.Testing)
}

// shows reports whether a mount can be looked at, and is of a commit.
func shows(m daemon.Status, commit string) bool { return m.PID != 0 && m.Commit == commit }

// vacate takes the search's mount away, unless it is there and shows a commit.
func (s *State) vacate(commit string) (there bool, err error) {
	shown, mounted, err := s.shown()
	switch {
	case err != nil || !mounted:
		return false, err
	case shows(shown, commit):
		return true, nil
	}
	return false, daemon.Unmount(s.Mountpoint, false)
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
	if at < 0 || !sameDir(list[at].Repo, s.Repo) {
		return shown, true, &daemon.Failure{
			Text:   fmt.Sprintf("%s: something else is mounted there: %s", daemon.Line(s.Mountpoint), daemon.Line(entry.Source)),
			Remedy: "take it away; `deployfs bisect resume` goes on then",
		}
	}
	return list[at], true, nil
}

// sameDir reports whether two paths lead to one directory.
func sameDir(a, b string) bool {
	one, err := os.Stat(a)
	two, err2 := os.Stat(b)
	return a == b || err == nil && err2 == nil && os.SameFile(one, two)
}

// unmount takes the search's mount away, if there is one.
func (s *State) unmount() error {
	_, mounted, err := s.shown()
	if err != nil || !mounted {
		return err
	}
	return daemon.Unmount(s.Mountpoint, false)
}
