package objstore

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

const (
	refDirMode  = 0o777 // of new directories of refs, before the umask
	refFileMode = 0o644
)

// SetRef makes a ref name a commit, which need not be there. What the ref's file
// was, an alias too, is replaced at once, and is the old one or the new one after a
// crash. The repository's own collection is that of its local refs.
func (r *Repo) SetRef(name refs.Name, sum object.Checksum) error {
	dir, base, err := r.openRefDir(name, true)
	if err != nil {
		return err
	}
	defer dir.Close()
	temp, err := r.stageRef(sum)
	if err == nil {
		err = r.placeRef(temp, dir, base, name)
	}
	if err != nil {
		return refFailure("writing ref", name, err)
	}
	return r.touch()
}

// DeleteRef deletes a ref, if it is there. It fails where an alias points to it.
// Directories stay, as ostree leaves them.
func (r *Repo) DeleteRef(name refs.Name) error {
	dir, base, err := r.openRefDir(name, false)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	if alias, err := r.aliasOf(r.stored(name)); err != nil || alias != "" {
		if err == nil {
			err = &AliasError{Ref: name.Ref, Alias: alias}
		}
		return err
	}
	switch err := unix.Unlinkat(int(dir.Fd()), base, 0); err {
	case nil:
	case unix.ENOENT:
		return nil
	default:
		return fmt.Errorf("deleting ref %s: unlinkat: %w", name, describe(err))
	}
	if err := r.syncFile(dir); err != nil {
		return fmt.Errorf("deleting ref %s: %w", name, err)
	}
	return r.touch()
}

// SetAlias makes a local ref another name of target, a local ref too, by a
// symbolic link. An alias of that name is replaced, and so is a ref.
func (r *Repo) SetAlias(name, target refs.Name) error {
	name, target = r.stored(name), r.stored(target)
	if name.Dir() != "heads" || target.Dir() != "heads" {
		return fmt.Errorf("Cannot create alias to remote ref: %s", name.Remote)
	}
	if err := r.checkAlias(name, target); err != nil {
		return err
	}
	dir, base, err := r.openRefDir(name, true)
	if err != nil {
		return err
	}
	defer dir.Close()
	to := strings.Repeat("../", strings.Count(name.Ref, "/")) + target.Ref
	temp := "tmp/alias-" + rand.Text()
	err = unix.Symlinkat(to, int(r.dir.Fd()), temp)
	if err == nil {
		err = r.placeRef(temp, dir, base, name)
	}
	if err != nil {
		return refFailure("writing alias", name, err)
	}
	return r.touch()
}

// AliasError says that a ref can't be deleted since an alias points to it.
type AliasError struct{ Ref, Alias string }

func (e *AliasError) Error() string {
	return fmt.Sprintf("Ref '%s' has an active alias: '%s'", e.Ref, e.Alias)
}

// ConflictError says that a ref can't be written since there are refs below it.
type ConflictError struct{ Below, Ref string }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("Conflict: %s exists under %s when attempting write", e.Below, e.Ref)
}

// refFailure says what failed, unless ostree has words for that.
func refFailure(what string, name refs.Name, err error) error {
	if conflict := (*ConflictError)(nil); errors.As(err, &conflict) {
		return err
	}
	return fmt.Errorf("%s %s: %w", what, name, describe(err))
}

// stored is where a ref of a collection is kept: among the local refs, when the
// collection is the repository's own.
func (r *Repo) stored(name refs.Name) refs.Name {
	if own, _ := r.config.Get("core", "collection-id"); name.Collection != "" && name.Collection == own {
		name.Collection = ""
	}
	return name
}

// openRefDir opens the directory that holds a ref. No symbolic link on the way is
// followed.
func (r *Repo) openRefDir(name refs.Name, create bool) (dir *os.File, base string, err error) {
	if err := name.Check(); err != nil {
		return nil, "", err
	}
	if object.IsChecksum(name.Ref) {
		return nil, "", fmt.Errorf("Rev name '%s' looks like a checksum", name.Ref)
	}
	file := "refs/" + r.stored(name).Path()
	if create {
		err = r.makeDirs(path.Dir(file))
	}
	if err == nil {
		dir, err = r.openDirBeneath(path.Dir(file))
	}
	if err != nil {
		return nil, "", fmt.Errorf("openat(%s): %w", file, plain(err))
	}
	return dir, path.Base(file), nil
}

// openDirBeneath opens a directory of the repository.
func (r *Repo) openDirBeneath(dir string) (*os.File, error) {
	fd, err := openBeneath(int(r.dir.Fd()), dir, unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), dir), nil
}

// makeDirs makes a directory of the repository and those above it, durably.
func (r *Repo) makeDirs(dir string) error {
	existing, err := r.openDirBeneath(dir)
	if err == nil {
		return existing.Close()
	}
	if err != unix.ENOENT || dir == "." {
		return err
	}
	if err := r.makeDirs(path.Dir(dir)); err != nil {
		return err
	}
	above, err := r.openDirBeneath(path.Dir(dir))
	if err != nil {
		return err
	}
	defer above.Close()
	if err := unix.Mkdirat(int(above.Fd()), path.Base(dir), refDirMode); err != nil && err != unix.EEXIST {
		return err
	}
	return r.syncFile(above)
}

// stageRef writes a ref's file in tmp/.
func (r *Repo) stageRef(sum object.Checksum) (temp string, err error) {
	return r.stageFile("ref-", append([]byte(sum.String()), '\n'))
}

// stageFile writes a file in tmp/, below a new name that begins with prefix.
func (r *Repo) stageFile(prefix string, data []byte) (temp string, err error) {
	temp = "tmp/" + prefix + rand.Text()
	fd, err := unix.Openat(int(r.dir.Fd()), temp, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, refFileMode)
	if err != nil {
		return "", fmt.Errorf("openat(%s): %w", temp, describe(err))
	}
	f := os.NewFile(uintptr(fd), temp)
	_, err = bytes.NewReader(data).WriteTo(f)
	if err == nil {
		err = f.Chmod(refFileMode) // whatever the umask: ostree's are so
	}
	if err == nil {
		err = r.syncFile(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		unix.Unlinkat(int(r.dir.Fd()), temp, 0)
	}
	return temp, err
}

// syncFile makes a file or a directory durable, unless core.fsync=false.
func (r *Repo) syncFile(f *os.File) error {
	sync, err := r.config.Bool("core", "fsync", true)
	if err != nil || !sync {
		return err
	}
	if err := uninterrupted(func() error { return unix.Fdatasync(int(f.Fd())) }); err != nil {
		return fmt.Errorf("fdatasync: %w", describe(err))
	}
	return nil
}

// placeRef renames temp to the ref's file, and takes a directory without refs out
// of the way.
func (r *Repo) placeRef(temp string, dir *os.File, base string, name refs.Name) (err error) {
	defer func() {
		if err != nil {
			unix.Unlinkat(int(r.dir.Fd()), temp, 0)
		}
	}()
	rename := func() error { return unix.Renameat(int(r.dir.Fd()), temp, int(dir.Fd()), base) }
	if err = rename(); err == unix.EISDIR {
		if err = r.clearRefDir("refs/"+r.stored(name).Path(), name.Ref); err != nil {
			return err
		}
		err = rename()
	}
	if err != nil {
		return fmt.Errorf("renameat: %w", describe(err))
	}
	return r.syncFile(dir)
}

// touch sets the time of the repository's directory, by which others see that
// refs have changed.
func (r *Repo) touch() error {
	if err := unix.UtimesNanoAt(int(r.dir.Fd()), ".", nil, 0); err != nil {
		return fmt.Errorf("futimens: %w", describe(err))
	}
	return nil
}
