package medium

import (
	"errors"
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// link has a repository be found at whatever path it is: by a symbolic link in
// .ostree/repos.d, unless all look there anyway, or there is a link to it.
func (m *Medium) link(repo *objstore.Repo, dest string) error {
	if dest == usualRepo || dest == otherRepo {
		return nil
	}
	dir, err := m.makeDirs(linkDir)
	if err != nil {
		return err
	}
	defer dir.Close()
	for _, name := range m.links() {
		there, _, err := m.directory(path.Join(linkDir, name))
		if err != nil {
			continue
		}
		same, err := sameFile(there, repo.Dir())
		there.Close()
		if same || err != nil {
			return err
		}
	}
	return linkTo(dir, path.Join("../..", dest))
}

const maxLinks = 100 // names that are tried

func linkTo(dir *os.File, target string) error {
	for i := range maxLinks {
		name := fmt.Sprintf("%02d-generated", i)
		switch err := unix.Symlinkat(target, int(dir.Fd()), name); err {
		case nil:
			return nil
		case unix.EEXIST:
		default:
			return fmt.Errorf("symlinkat(%s/%s → %s): %w", linkDir, name, target, errnoError(err))
		}
	}
	return errors.New("Could not find an unused symlink name for the repository")
}
