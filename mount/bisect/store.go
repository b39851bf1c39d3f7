package bisect

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// maxState bounds the file of a state, in bytes.
const maxState = 64 << 20

// State is what is kept of a search.
type State struct {
	Repo       string `json:"repo"`       // absolute path
	Mountpoint string `json:"mountpoint"` // where the commit under test is
	Testing    string `json:"testing"`    // checksum of that; "" before it is known what is to be tested, and at the end
	Log        []Mark `json:"log"`        // what is known, in the order in which it was told
}

// Mark is what was said of a commit.
type Mark struct {
	Is      Kind   `json:"is"`
	Commit  string `json:"commit"` // checksum
	Subject string `json:"subject"`
}

// Kind is what a commit is.
type Kind string

// The kinds of marks.
const (
	Good    Kind = "good"
	Bad     Kind = "bad"
	Skipped Kind = "skip"             // it can't be tested
	First   Kind = "first bad commit" // the result
)

// Dir is where the search in a repository is kept, or would be.
func Dir(repo string) (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("state directory: %w", err)
		}
		base = filepath.Join(home, ".local/state")
	}
	path, err := filepath.EvalSymlinks(repo)
	if err != nil {
		return "", fmt.Errorf("repository: %w", err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", fmt.Errorf("repository: %w", err)
	}
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(base, "deployfs/bisect", hex.EncodeToString(sum[:8])), nil
}

// NoneError says that no search is under way.
type NoneError struct{ Repo string }

func (e *NoneError) Error() string { return fmt.Sprintf("no bisect is under way in %q", e.Repo) }

// Hint is the remedy.
func (e *NoneError) Hint() string { return "`deployfs bisect start BAD GOOD` begins one" }

// DamagedError says that the state of a search can't be read.
type DamagedError struct {
	File string
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("state of the bisect %q can't be read: %v", e.File, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// Hint is the remedy.
func (*DamagedError) Hint() string { return "`deployfs bisect reset` removes it" }

// Read reads the state of the search in a repository, whoever works on it.
func Read(repo string) (s State, err error) {
	dir, err := Dir(repo)
	if err != nil {
		return s, err
	}
	file, err := os.Open(filepath.Join(dir, "state"))
	if errors.Is(err, fs.ErrNotExist) {
		return s, &NoneError{repo}
	}
	if err != nil {
		return s, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxState))
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return State{}, &DamagedError{file.Name(), err}
	}
	return s, nil
}

// check refuses what was not written here.
func (s *State) check() error {
	switch {
	case !filepath.IsAbs(s.Repo):
		return fmt.Errorf("repository %q is no absolute path", s.Repo)
	case !filepath.IsAbs(s.Mountpoint):
		return fmt.Errorf("mountpoint %q is no absolute path", s.Mountpoint)
	case s.Testing != "" && !object.IsChecksum(s.Testing):
		return fmt.Errorf("commit %q is no checksum", s.Testing)
	}
	for _, m := range s.Log {
		if !slices.Contains([]Kind{Good, Bad, Skipped, First}, m.Is) || !object.IsChecksum(m.Commit) {
			return fmt.Errorf("%q is no mark of a commit %q", m.Is, m.Commit)
		}
	}
	return nil
}

// write replaces the state.
func (s *State) write(dir string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, "state-*")
	if err != nil {
		return err
	}
	_, err = file.Write(append(data, '\n'))
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(dir, "state"))
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// BusyError says that another process works on the search.
type BusyError struct{ Dir string }

func (e *BusyError) Error() string { return "another bisect of this repository is running" }

// Hint is the remedy.
func (e *BusyError) Hint() string {
	return fmt.Sprintf("wait until it ends; `fuser %q` names it", filepath.Join(e.Dir, "lock"))
}

// lock makes the directory of a search this process's, until the file is closed.
func lock(dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			file.Close()
			if err == unix.EWOULDBLOCK {
				err = &BusyError{dir}
			}
			return nil, err
		}
		ours, err := file.Stat()
		there, err2 := os.Stat(path)
		if err == nil && err2 == nil && os.SameFile(ours, there) {
			return file, nil
		}
		file.Close() // who held it has removed it
		if err := errors.Join(err, err2); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
}
