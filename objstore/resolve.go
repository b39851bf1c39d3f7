package objstore

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

const (
	maxRef      = 4096 // bytes of a ref file; a good one has 65
	maxShownRef = 80   // bytes of a bad one that stand in a message
)

// RevError says that a REV names no commit, or several.
type RevError struct {
	Rev       string
	Ambiguous bool
}

func (e *RevError) Error() string {
	if e.Ambiguous {
		return fmt.Sprintf("Refspec %s not unique", e.Rev)
	}
	return fmt.Sprintf("Refspec '%s' not found", e.Rev)
}

// Resolve finds the commit that REV means, in ostree's order: a whole checksum,
// which need not exist; the unique prefix of a commit's; REV^ for the parent; a
// ref, with or without a remote.
func (r *Repo) Resolve(rev string) (object.Checksum, error) { return r.resolve(rev, true) }

// ResolveLocal is Resolve but for the refs of remotes that REV does not name: what
// is in the way of a new ref. A directory is not.
func (r *Repo) ResolveLocal(rev string) (sum object.Checksum, found bool, err error) {
	sum, err = r.resolve(rev, false)
	unknown := (*RevError)(nil)
	if errors.As(err, &unknown) && !unknown.Ambiguous || errors.Is(err, unix.EISDIR) {
		return object.Checksum{}, false, nil
	}
	return sum, err == nil, err
}

func (r *Repo) resolve(rev string, remotes bool) (object.Checksum, error) {
	if object.IsChecksum(rev) {
		return object.ParseChecksum(rev)
	}
	if strings.Trim(rev, "0123456789abcdef") == "" {
		if sum, err := r.resolvePrefix(rev); err != nil || !sum.IsZero() {
			return sum, err
		}
	}
	if child, ok := strings.CutSuffix(rev, "^"); ok {
		return r.resolveParent(child)
	}
	spec, err := refs.Parse(rev)
	if err != nil {
		return object.Checksum{}, err
	}
	sum, found, err := r.resolveRef(spec, remotes)
	if err == nil && !found {
		err = &RevError{Rev: rev}
	}
	return sum, err
}

func (r *Repo) resolveParent(child string) (object.Checksum, error) {
	sum, err := r.Resolve(child)
	if err != nil {
		return sum, err
	}
	commit, err := r.Commit(sum)
	if err == nil && commit.Parent.IsZero() {
		err = fmt.Errorf("Commit %s has no parent", sum)
	}
	return commit.Parent, err
}

// resolvePrefix finds the only commit whose checksum starts with prefix; zero
// when there is none.
func (r *Repo) resolvePrefix(prefix string) (object.Checksum, error) {
	var only object.Checksum
	for repo := r; repo != nil; repo = repo.parent {
		err := repo.eachCommit(prefix, func(sum object.Checksum) error {
			if !only.IsZero() && only != sum {
				return &RevError{Rev: prefix, Ambiguous: true}
			}
			only = sum
			return nil
		})
		if err != nil {
			return object.Checksum{}, err
		}
	}
	return only, nil
}

// eachCommit visits this repository's commits whose checksum starts with prefix.
func (r *Repo) eachCommit(prefix string, visit func(object.Checksum) error) error {
	for i := range 256 {
		dir := fmt.Sprintf("%02x", i)
		if !strings.HasPrefix(dir, prefix) && !strings.HasPrefix(prefix, dir) {
			continue
		}
		names, err := r.readNames(r.objects, dir)
		if err != nil {
			return err
		}
		for _, name := range names {
			hex, ok := strings.CutSuffix(dir+name, ".commit")
			if !ok || !strings.HasPrefix(hex, prefix) || !object.IsChecksum(hex) {
				continue
			}
			sum, err := object.ParseChecksum(hex)
			if err != nil {
				return err
			}
			if err := visit(sum); err != nil {
				return err
			}
		}
	}
	return nil
}

// readNames lists a directory below dir, sorted; one that is absent is empty. No
// symbolic link on the way is followed.
func (r *Repo) readNames(dir *os.File, path string) ([]string, error) {
	fd, err := openBeneath(int(dir.Fd()), path, unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	})
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opendir(%s): %w", path, describe(err))
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

// resolveRef looks a ref up: of its remote when it names one, else among the
// local refs, then, if it may be any remote's, among all of these; then in the
// parent repository.
func (r *Repo) resolveRef(spec refs.Spec, anyRemote bool) (sum object.Checksum, found bool, err error) {
	candidates := []string{refs.Name{Remote: spec.Remote, Ref: spec.Ref}.Path()}
	if spec.Remote == "" && anyRemote {
		candidates = append(candidates, "remotes/"+spec.Ref)
		remotes, err := r.readNames(r.dir, "refs/remotes")
		if err != nil {
			return sum, false, err
		}
		for _, remote := range remotes {
			candidates = append(candidates, "remotes/"+remote+"/"+spec.Ref)
		}
	}
	for _, path := range candidates {
		if text, err := r.readRef(path); err == nil {
			sum, err := parseRef(text)
			return sum, true, err
		} else if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENOTDIR) {
			return sum, false, fmt.Errorf("Couldn't open ref '%s': %w", spec.Ref, plain(err))
		}
	}
	if r.parent != nil {
		return r.parent.resolveRef(spec, anyRemote)
	}
	return sum, false, nil
}

// readRef reads a ref file. Aliases, which are symbolic links, are followed as
// long as they stay below refs/, which is none itself.
func (r *Repo) readRef(path string) (string, error) {
	root, err := unix.Openat(int(r.dir.Fd()), "refs", unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(root)
	fd, err := openBeneath(root, path, unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	buf := make([]byte, maxRef)
	n, err := unix.Read(fd, buf) // of a pipe without waiting, unlike os.File
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(buf[:n]), " \t\n\r\v\f"), nil
}

// maxBeneath bounds how often an open is tried again.
const maxBeneath = 1000

// openBeneath is openat2(2), which gives up where something is renamed anywhere
// while it goes up a directory.
func openBeneath(dir int, path string, how unix.OpenHow) (fd int, err error) {
	for range maxBeneath {
		if fd, err = unix.Openat2(dir, path, &how); err != unix.EAGAIN && err != unix.EINTR {
			break
		}
	}
	return fd, err
}

func parseRef(text string) (object.Checksum, error) {
	if !object.IsChecksum(text) {
		return object.Checksum{}, fmt.Errorf("Invalid rev %s", printable(text[:min(len(text), maxShownRef)]))
	}
	return object.ParseChecksum(text)
}
