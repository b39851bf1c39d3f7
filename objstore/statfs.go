package objstore

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Statfs tells about the filesystem that holds the repository.
func (r *Repo) Statfs() (st unix.Statfs_t, err error) {
	if err = unix.Fstatfs(int(r.dir.Fd()), &st); err != nil {
		err = fmt.Errorf("statfs of repo %s: %w", r.path, describe(err))
	}
	return st, err
}
