package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/mount/confine"
	"deployfs/objstore"
	"deployfs/objstore/index"
	"deployfs/objstore/trust"
)

// maxFiles bounds the open files of a server: an object and the copy of it for
// each of the 10,000 threads that the Go runtime allows, and what is kept.
const maxFiles = 1 << 15

// confine gives up what the server will not need any more, now that the
// repository is open and the tree is mounted. Where that can't be, the tree is
// served all the same; the status and the log say so.
func (s *server) confine() {
	if s.cfg.NoConfine {
		s.confined.Store("none: as asked")
		return
	}
	_, _ = time.Now().Zone() // its file is read once, now
	report, err := confine.Apply(s.rules())
	s.confined.Store(report.String())
	switch {
	case errors.Is(err, confine.ErrThreads):
		s.confined.Store("none: built with cgo")
	case err != nil:
		s.warn(fmt.Errorf("confinement: %w", err))
	}
}

// rules are what a server of this view needs until it ends.
func (s *server) rules() confine.Rules {
	rules := confine.Rules{Capabilities: capabilities(s.view.repo), Write: []string{os.DevNull}, OpenFiles: maxFiles}
	for repo := s.view.repo; repo != nil; repo = repo.Parent() {
		rules.Read = append(rules.Read, repo.Path())
		if objects := filepath.Join(repo.Path(), "objects"); linked(objects) {
			rules.Read = append(rules.Read, objects)
		}
		// The index builder locks it, too; it is not made for that.
		rules.Write = append(rules.Write, filepath.Join(repo.Path(), ".lock"))
	}
	switch {
	case s.cfg.Remote != "":
		s.keepNetwork(&rules)
	case s.cfg.History:
		rules.Read = append(rules.Read, trust.Files(s.view.repo)...)
	case !s.cfg.NoIndex:
		rules.Execute = "/proc/self/exe"
		index.OpenStore(s.view.repo, s.cfg.CacheDir).Close() // makes directories
		rules.Write = append(rules.Write, filepath.Join(s.cfg.Repo, "deployfs"))
	}
	rules.Write = append(rules.Write, s.scratch()...)
	return rules
}

// linked reports whether root or the user has put something elsewhere. Links of
// others lead nowhere from now on.
func linked(path string) bool {
	var st unix.Stat_t
	err := unix.Lstat(path, &st)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK && (st.Uid == 0 || int(st.Uid) == os.Geteuid())
}

// scratch is where derived data goes: the cache directory, made if it may be;
// where that is not the user's alone, content is inflated in files without a name
// in the directory for temporary ones.
func (s *server) scratch() []string {
	dirs, inflates := []string{s.cfg.CacheDir}, false
	for repo := s.view.repo; repo != nil; repo = repo.Parent() {
		inflates = inflates || repo.Mode() == objstore.Archive
	}
	var st unix.Stat_t
	if inflates && (os.MkdirAll(dirs[0], 0o700) != nil || unix.Lstat(dirs[0], &st) != nil || int(st.Uid) != os.Geteuid() || st.Mode&0o022 != 0) {
		dirs = append(dirs, os.TempDir())
	}
	if real, err := filepath.EvalSymlinks(dirs[0]); err == nil {
		dirs[0] = real
	}
	return dirs
}

// capabilities are what root needs of its own to show a repository.
//
//   - CAP_DAC_READ_SEARCH, to read objects that others own, whatever their mode
//   - CAP_SYS_ADMIN, to see trusted.* attributes, which objects of a bare
//     repository may have: without it they are not there, and the object seems
//     damaged. Mounting is denied by other means.
//
// The rest needs none: security.* attributes and ACLs are read by whoever may
// read the file, what is written belongs to root, locks and a lower priority are
// anybody's.
func capabilities(repo *objstore.Repo) []int {
	keep := []int{unix.CAP_DAC_READ_SEARCH}
	for ; repo != nil; repo = repo.Parent() {
		if repo.Mode() == objstore.Bare && repo.HasXattrs() {
			return append(keep, unix.CAP_SYS_ADMIN)
		}
	}
	return keep
}
