package objstore

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore/refs"
)

// clearRefDir removes a directory of refs that holds none: directories, and files
// that are no refs by their names. One that holds a ref is a [ConflictError].
func (r *Repo) clearRefDir(dir, ref string) error {
	if err := r.conflict(dir, ref); err != nil {
		return err
	}
	err := r.removeRefDir(dir, maxRefDepth)
	if !errors.Is(err, unix.ENOTEMPTY) && !errors.Is(err, unix.EEXIST) {
		return err
	}
	return &ConflictError{Below: "?", Ref: ref}
}

// conflict is a [ConflictError] where a directory holds a ref.
func (r *Repo) conflict(dir, ref string) error {
	var below string
	err := r.walkRefNames(dir, maxRefDepth, func(file string, _ os.FileMode) bool {
		below = file
		return false
	})
	if err == nil && below != "" {
		err = &ConflictError{Below: strings.TrimPrefix(below, dir+"/"), Ref: ref}
	}
	return err
}

// removeRefDir never removes a ref: one that appears meanwhile keeps its
// directory.
func (r *Repo) removeRefDir(name string, depth int) error {
	if depth == 0 {
		return fmt.Errorf("%s is nested too deeply", name)
	}
	above, err := r.OpenDir(path.Dir(name))
	if err != nil {
		return err
	}
	defer above.Close()
	names, err := r.readNames(r.dir, name)
	if err != nil {
		return err
	}
	for _, child := range names {
		if refs.IsFragment(child) {
			err = r.removeRefDir(name+"/"+child, depth-1)
		} else {
			err = r.removeStray(name, child)
		}
		if err != nil {
			return err
		}
	}
	if err := unix.Unlinkat(int(above.Fd()), path.Base(name), unix.AT_REMOVEDIR); err != nil {
		return fmt.Errorf("unlinkat(%s): %w", name, describe(err))
	}
	return r.SyncDir(above)
}

// removeStray removes a file that is no ref.
func (r *Repo) removeStray(dir, name string) error {
	f, err := r.OpenDir(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Unlinkat(int(f.Fd()), name, 0); err != nil && err != unix.ENOENT {
		return fmt.Errorf("unlinkat(%s/%s): %w", dir, name, describe(err))
	}
	return nil
}

// walkRefNames visits the files of refs below a directory, in order of their
// names' parts, without reading them, until visit returns false. What is no ref
// by its name is left out.
func (r *Repo) walkRefNames(dir string, depth int, visit func(file string, typ os.FileMode) bool) error {
	_, err := r.walkNames(dir, depth, visit)
	return err
}

func (r *Repo) walkNames(dir string, depth int, visit func(string, os.FileMode) bool) (goOn bool, err error) {
	if depth == 0 {
		return false, fmt.Errorf("listing refs: %s is nested too deeply", dir)
	}
	f, err := r.OpenDir(dir)
	if errors.Is(err, unix.ENOENT) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("Listing refs: %w", err)
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return false, fmt.Errorf("Listing refs: %w", plain(err))
	}
	sortEntries(entries)
	for _, e := range entries {
		file := dir + "/" + e.Name()
		switch {
		case !refs.IsFragment(e.Name()):
		case e.IsDir():
			if goOn, err := r.walkNames(file, depth-1, visit); !goOn || err != nil {
				return false, err
			}
		case !visit(file, e.Type()):
			return false, nil
		}
	}
	return true, nil
}
