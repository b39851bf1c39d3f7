package compile

import (
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// repoTarget is the repository: a directory among its temporary files, which takes the place of
// the delta's.
type repoTarget struct {
	repo *objstore.Repo
	dir  *os.File
	temp string // the directory, from the repository on
	path string // that of the delta
}

func newRepoTarget(repo *objstore.Repo, d objstore.Delta) (*repoTarget, error) {
	temp := "tmp/" + objstore.TemporaryName()
	if err := repo.MakeDirs(temp); err != nil {
		return nil, err
	}
	dir, err := repo.OpenDir(temp)
	if err != nil {
		return nil, err
	}
	return &repoTarget{repo, dir, temp, d.Path()}, nil
}

func (t *repoTarget) create(name string) (*os.File, error) { return createIn(t.dir, name) }

// finish puts the directory in place at once, also where one is already.
func (t *repoTarget) finish() error {
	if err := t.repo.SyncDir(t.dir); err != nil {
		return err
	}
	above := path.Dir(t.path)
	if err := t.repo.MakeDirs(above); err != nil {
		return err
	}
	if err := t.place(); err != nil {
		return fmt.Errorf("renameat(%s): %w", t.path, err)
	}
	dir, err := t.repo.OpenDir(above)
	if err != nil {
		return err
	}
	defer dir.Close()
	return t.repo.SyncDir(dir)
}

// place renames the directory; where there is one, they change places. A file system that can't
// do that has the old one be gone for a moment.
func (t *repoTarget) place() error {
	repo := int(t.repo.Dir().Fd())
	err := unix.Renameat2(repo, t.temp, repo, t.path, unix.RENAME_NOREPLACE)
	if err == unix.EEXIST {
		err = unix.Renameat2(repo, t.temp, repo, t.path, unix.RENAME_EXCHANGE)
	}
	if err != unix.EINVAL && err != unix.ENOSYS {
		return err
	}
	if err := objstore.RemoveAll(repo, t.path); err != nil {
		return err
	}
	return unix.Renameat(repo, t.temp, repo, t.path)
}

// close removes the directory, or the one whose place it took.
func (t *repoTarget) close() error {
	t.dir.Close()
	return objstore.RemoveAll(int(t.repo.Dir().Fd()), t.temp)
}
