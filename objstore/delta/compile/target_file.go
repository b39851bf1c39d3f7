package compile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// fileTarget is a superblock with a name of its own, and the parts beside it.
type fileTarget struct {
	repo  *objstore.Repo
	dir   *os.File
	base  string // what the superblock is called
	files []temporary
}

// temporary is a file under a name that is not yet its own.
type temporary struct{ temp, name string }

func newFileTarget(repo *objstore.Repo, filename string) (*fileTarget, error) {
	dir, base := filepath.Split(filename)
	if dir == "" {
		dir = "."
	}
	f, err := os.Open(dir)
	if errno := unix.Errno(0); errors.As(err, &errno) {
		err = fmt.Errorf("opendir(%s): %w", filepath.Clean(dir), objstore.ErrnoError(errno))
	}
	if err != nil {
		return nil, err
	}
	return &fileTarget{repo: repo, dir: f, base: base}, nil
}

func (t *fileTarget) create(name string) (*os.File, error) {
	if name == superblockName {
		name = t.base
	}
	file := temporary{"." + objstore.TemporaryName(), name}
	f, err := createIn(t.dir, file.temp)
	if err == nil {
		t.files = append(t.files, file)
	}
	return f, err
}

// finish renames the files; the superblock was made last, and is it again.
func (t *fileTarget) finish() error {
	dir := int(t.dir.Fd())
	for len(t.files) > 0 {
		file := t.files[0]
		if err := unix.Renameat(dir, file.temp, dir, file.name); err != nil {
			return fmt.Errorf("renameat(%s): %w", file.name, err)
		}
		t.files = t.files[1:]
	}
	return t.repo.SyncDir(t.dir)
}

func (t *fileTarget) close() error {
	for _, file := range t.files {
		unix.Unlinkat(int(t.dir.Fd()), file.temp, 0)
	}
	return t.dir.Close()
}
