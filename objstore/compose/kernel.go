package compose

import (
	"errors"

	"golang.org/x/sys/unix"

	"deployfs/objstore/mtree"
	"deployfs/objstore/tree"
)

// kernel is the release of the kernel in a tree: the only directory below
// /usr/lib/modules in which there is a vmlinuz.
func kernel(root *mtree.Tree) (release string, err error) {
	modules := root
	path := ""
	for _, name := range []string{"usr", "lib", "modules"} {
		path += "/" + name
		sub, _, _, err := modules.Lookup(name)
		if err == nil && sub == nil {
			err = &tree.Error{Path: path, Err: unix.ENOENT}
		}
		if err != nil {
			return "", err
		}
		modules = sub
	}
	names, err := modules.Dirs()
	if err != nil {
		return "", err
	}
	for _, name := range names {
		dir, _, _, err := modules.Lookup(name)
		if err != nil {
			return "", err
		}
		_, _, found, err := dir.Lookup("vmlinuz")
		switch {
		case err != nil:
			return "", err
		case found && release != "":
			return "", errors.New("Multiple kernels found in /usr/lib/modules")
		case found:
			release = name
		}
	}
	if release == "" {
		return "", errors.New("No kernel found in /usr/lib/modules")
	}
	return release, nil
}
