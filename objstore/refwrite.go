package objstore

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

const refFileMode = 0o644

// SetRef makes a ref name a commit, which need not be there. What the ref's file
// was, an alias too, is replaced at once, and is the old one or the new one after a
// crash. The repository's own collection is that of its local refs.
func (r *Repo) SetRef(name refs.Name, sum object.Checksum) error {
	dir, base, err := r.openRefDir(name, true)
	if err != nil {
		return err
	}
	defer dir.Close()
	err = r.placeRef(name, func() error {
		return r.Replace(dir, base, []byte(sum.String()+"\n"), refFileMode)
	})
	if err != nil {
		return refFailure("writing ref", name, err)
	}
	return r.touch()
}

// CheckRef fails as SetRef would where other refs are in the way of one. It writes nothing.
func (r *Repo) CheckRef(name refs.Name) error {
	dir, base, err := r.openRefDir(name, false)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	var st unix.Stat_t
	err = unix.Fstatat(int(dir.Fd()), base, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return nil
	}
	return r.conflict("refs/"+r.stored(name).Path(), name.Ref)
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
	if err := r.placeRef(name, func() error { return r.replaceLink(dir, base, to) }); err != nil {
		return refFailure("writing alias", name, err)
	}
	return r.touch()
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
	file, err := r.refFile(name)
	if err != nil {
		return nil, "", err
	}
	if create {
		err = r.MakeDirs(path.Dir(file))
	}
	if err == nil {
		dir, err = r.OpenDir(path.Dir(file))
	}
	if err != nil {
		return nil, "", fmt.Errorf("openat(%s): %w", file, plain(err))
	}
	return dir, path.Base(file), nil
}

// refFile is where a ref that may be written is kept, from the repository on.
func (r *Repo) refFile(name refs.Name) (string, error) {
	if err := name.Check(); err != nil {
		return "", err
	}
	if object.IsChecksum(name.Ref) {
		return "", fmt.Errorf("Rev name '%s' looks like a checksum", name.Ref)
	}
	return "refs/" + r.stored(name).Path(), nil
}

// placeRef puts a ref's file in place, and takes a directory without refs out of
// the way.
func (r *Repo) placeRef(name refs.Name, place func() error) error {
	err := place()
	if !errors.Is(err, unix.EISDIR) {
		return err
	}
	if err := r.clearRefDir("refs/"+r.stored(name).Path(), name.Ref); err != nil {
		return err
	}
	return place()
}

// touch sets the time of the repository's directory, by which others see that
// refs have changed.
func (r *Repo) touch() error {
	if err := unix.UtimesNanoAt(int(r.dir.Fd()), ".", nil, 0); err != nil {
		return fmt.Errorf("futimens: %w", describe(err))
	}
	return nil
}
