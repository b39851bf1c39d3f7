package bisect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"deployfs/mount"
	"deployfs/objstore"
	"deployfs/objstore/history"
	"deployfs/objstore/object"
)

// Session is a search that this process works on. It is for one goroutine.
type Session struct {
	State
	dir  string
	lock *os.File
	repo *objstore.Repo
	line line
}

// Said is what somebody says of a commit.
type Said struct {
	Is     Kind
	Commit object.Checksum
}

// Start begins a search with what is known. Commits are mounted at mountpoint, an
// empty directory; "" is one of the search's own. When that can't be, nothing is
// left.
func Start(ctx context.Context, repo *objstore.Repo, mountpoint string, said ...Said) (*Session, Step, error) {
	dir, err := Dir(repo.Path())
	if err != nil {
		return nil, Step{}, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, Step{}, err
	}
	s := &Session{dir: dir, repo: repo, line: line{repo: repo}}
	if s.lock, err = lock(dir); err != nil {
		return nil, Step{}, err
	}
	if _, err := Read(repo.Path()); err == nil {
		s.Close()
		return nil, Step{}, &UnderWayError{repo.Path()}
	}
	var step Step
	if err = s.begin(mountpoint); err == nil {
		step, err = s.Mark(ctx, said...)
	}
	if err != nil {
		return nil, Step{}, errors.Join(err, s.clear(), s.Close())
	}
	return s, step, nil
}

func (s *Session) begin(mountpoint string) error {
	if mountpoint == "" {
		mountpoint = s.ownMountpoint()
		if err := os.Mkdir(mountpoint, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	path, err := filepath.Abs(mountpoint)
	if err != nil {
		return err
	}
	s.State = State{Repo: s.repo.Path(), Mountpoint: path, Log: []Mark{}}
	return mount.CheckMountpoint(path, false)
}

func (s *Session) ownMountpoint() string { return filepath.Join(s.dir, "mnt") }

// UnderWayError says that a search was begun before.
type UnderWayError struct{ Repo string }

func (e *UnderWayError) Error() string { return fmt.Sprintf("a bisect is under way in %q", e.Repo) }

// Hint is the remedy.
func (*UnderWayError) Hint() string {
	return "`deployfs bisect status` tells about it, `deployfs bisect reset` ends it"
}

// Open goes on with the search in a repository.
func Open(repo *objstore.Repo) (*Session, error) {
	s := &Session{repo: repo, line: line{repo: repo}}
	_, err := Read(repo.Path()) // before a lock file is made
	if err == nil {
		s.dir, err = Dir(repo.Path())
	}
	if err == nil {
		s.lock, err = lock(s.dir)
	}
	if err != nil {
		return nil, err
	}
	if s.State, err = Read(repo.Path()); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close lets others work on the search.
func (s *Session) Close() error { return s.lock.Close() }

// Mark takes what is said of commits, and tells what follows. When that is in
// contradiction to what was said before, nothing is kept of it.
func (s *Session) Mark(ctx context.Context, said ...Said) (Step, error) {
	log := slices.Clone(s.Log)
	for _, one := range said {
		c, err := s.repo.Commit(one.Commit)
		if err != nil {
			return Step{}, err
		}
		brief := history.NewBrief(history.Commit{Checksum: one.Commit, Commit: c})
		log = append(log, Mark{Is: one.Is, Commit: one.Commit.String(), Subject: brief.Subject})
	}
	step, err := s.line.step(ctx, log)
	if err != nil {
		return step, err
	}
	if len(said) == 1 && !step.Waiting && !slices.Contains(s.line.commits, said[0].Commit) {
		return step, &OutsideError{said[0].Commit, step}
	}
	s.Log, s.Testing = log, ""
	switch {
	case step.Found:
		s.result(step)
	case !step.Waiting && !step.Stuck:
		s.Testing = step.Test.String()
	}
	return step, s.write(s.dir)
}

// OutsideError says that a commit has nothing to do with a search.
type OutsideError struct {
	Commit object.Checksum
	Step   Step
}

func (e *OutsideError) Error() string {
	return fmt.Sprintf("commit %s is not from good commit %s to bad commit %s", e.Commit, e.Step.Good[0], e.Step.Bad)
}

// result keeps the first bad commit in the log, once.
func (s *Session) result(step Step) {
	for _, mark := range slices.Backward(s.Log) {
		if mark.Commit == step.Bad.String() {
			if mark.Is != First {
				s.Log = append(s.Log, Mark{First, mark.Commit, mark.Subject})
			}
			return
		}
	}
}

// Step is how far the search has come.
func (s *Session) Step(ctx context.Context) (Step, error) { return s.line.step(ctx, s.Log) }

// Look is how far a search that was read has come.
func (s *State) Look(ctx context.Context, repo history.Repo) (Step, error) {
	l := line{repo: repo}
	return l.step(ctx, s.Log)
}

// Reset ends the search: its mount goes, and all that was kept of it.
func (s *Session) Reset() error {
	if err := s.unmount(); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(s.dir, "state")); err != nil {
		return err
	}
	return errors.Join(syncDir(s.dir), s.clear())
}

// clear removes all but the state.
func (s *Session) clear() error {
	left, err := filepath.Glob(filepath.Join(s.dir, "state-*")) // of a process that was killed
	for _, name := range append(left, s.ownMountpoint(), filepath.Join(s.dir, "lock")) {
		if e := os.Remove(name); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	os.Remove(s.dir) // unless the next one has begun already
	return err
}
