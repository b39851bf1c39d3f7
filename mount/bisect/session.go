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
	Replaced *DamagedError // what Start has found in its place, nil when there was nothing
	dir      string
	lock     *os.File
	repo     *objstore.Repo
	line     line
}

// Said is what somebody says of a commit.
type Said struct {
	Is     Kind
	Commit object.Checksum
}

// Start begins a search with what is known. Commits are mounted at mountpoint, an
// empty directory; "" is one of the search's own. A search whose state can't be
// read is replaced. When all that can't be, nothing new is left.
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
	if err := s.free(); err != nil {
		return nil, Step{}, errors.Join(err, s.Close())
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

// free makes sure that no search is in the place of the one that begins.
func (s *Session) free() error {
	_, err := Read(s.repo.Path())
	switch {
	case err == nil:
		return &UnderWayError{s.repo.Path()}
	case errors.As(err, new(*NoneError)):
		return nil
	case errors.As(err, &s.Replaced):
		s.State = s.unread()
		return s.unmount()
	}
	return err
}

// unread is the state of a search that can't be read, as far as it can be guessed.
func (s *Session) unread() State {
	return State{Repo: s.repo.Path(), Mountpoint: ownMountpoint(s.dir)}
}

func (s *Session) begin(mountpoint string) error {
	if mountpoint == "" {
		mountpoint = ownMountpoint(s.dir)
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

// OwnMountpoint is where the search in a repository mounts commits, unless another
// place is named.
func OwnMountpoint(repo string) (string, error) {
	dir, err := Dir(repo)
	return ownMountpoint(dir), err
}

func ownMountpoint(dir string) string { return filepath.Join(dir, "mnt") }

// UnderWayError says that a search was begun before.
type UnderWayError struct{ Repo string }

func (e *UnderWayError) Error() string { return fmt.Sprintf("a bisect is under way in %q", e.Repo) }

// Hint is the remedy.
func (*UnderWayError) Hint() string {
	return "`deployfs bisect status` tells about it, `deployfs bisect reset` ends it"
}

// Open goes on with the search in a repository.
func Open(repo *objstore.Repo) (*Session, error) {
	s, err := locked(repo)
	if err != nil {
		return nil, err
	}
	if s.State, err = Read(repo.Path()); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// locked is the search in a repository before its state is read.
func locked(repo *objstore.Repo) (*Session, error) {
	dir, err := Dir(repo.Path())
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(filepath.Join(dir, "state")); errors.Is(err, fs.ErrNotExist) { // no lock file is made then
		return nil, &NoneError{repo.Path()}
	}
	s := &Session{dir: dir, repo: repo, line: line{repo: repo}}
	s.lock, err = lock(dir)
	return s, err
}

// Close lets others work on the search.
func (s *Session) Close() error { return s.lock.Close() }

// Mark takes what is said of commits, and tells what follows. When that is in
// contradiction to what was said before, or the mount of a commit that needs no
// test any more can't be taken away, nothing is kept of it.
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
	if err == nil {
		err = s.check(ctx, log, said, step)
	}
	if err != nil {
		return step, err
	}
	next := ""
	if !step.Test.IsZero() {
		next = step.Test.String()
		if _, err := s.vacate(next); err != nil {
			return step, fmt.Errorf("nothing was marked: %w", err)
		}
	}
	s.Log, s.Testing = log, next
	if step.Found {
		s.result(step)
	}
	return step, s.write(s.dir)
}

// check fails when what was said is a contradiction, or says nothing.
func (s *Session) check(ctx context.Context, log []Mark, said []Said, step Step) error {
	m, err := newMarks(log)
	if err != nil {
		return err
	}
	if sum := m.lost(log); !sum.IsZero() {
		return &BothError{sum}
	}
	if len(said) != 1 || step.Waiting || slices.Contains(s.line.commits, said[0].Commit) {
		return nil
	}
	older := false
	if said[0].Is == Good {
		older, err = s.line.behind(ctx, said[0].Commit, step.Good[0])
	}
	if err == nil && !older {
		err = &OutsideError{said[0].Commit, step}
	}
	return err
}

// OutsideError says that a commit has nothing to do with a search.
type OutsideError struct {
	Commit object.Checksum
	Step   Step
}

func (e *OutsideError) Error() string {
	return fmt.Sprintf("commit %s is not from good commit %s to bad commit %s", e.Commit, e.Step.Good[0], e.Step.Bad)
}

// Hint is the remedy.
func (*OutsideError) Hint() string {
	return "only commits between these tell something; `deployfs bisect log` shows what was said"
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

// Reset ends the search in a repository: its mount goes, and all that was kept of
// it. When its state can't be read, that is the mount in its own mountpoint.
func Reset(repo *objstore.Repo) error {
	s, err := locked(repo)
	if err != nil {
		return err
	}
	defer s.Close()
	if s.State, err = Read(repo.Path()); errors.As(err, new(*DamagedError)) {
		s.State, err = s.unread(), nil
	}
	if err != nil {
		return err
	}
	return s.end()
}

func (s *Session) end() error {
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
	for _, name := range append(left, ownMountpoint(s.dir), filepath.Join(s.dir, "lock")) {
		if e := os.Remove(name); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	os.Remove(s.dir) // unless the next one has begun already
	return err
}
