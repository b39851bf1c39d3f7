package objstore

import (
	"errors"
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"deployfs/objstore/refs"
)

// DeleteRef deletes a ref, if it is there, as [Repo.DeleteRefs] does.
func (r *Repo) DeleteRef(name refs.Name) error { return r.DeleteRefs(name) }

// DeleteRefs deletes refs, those of them that are there. It fails with an
// [AliasError], and deletes none, where an alias leads to one that is not to be
// deleted with it. Directories stay, as ostree leaves them.
func (r *Repo) DeleteRefs(names ...refs.Name) error {
	if len(names) == 0 {
		return nil
	}
	for _, name := range names {
		if _, err := r.refFile(name); err != nil {
			return err
		}
	}
	links, err := r.aliases(names)
	if err != nil {
		return err
	}
	files, err := r.deletionOrder(names, links)
	if err != nil {
		return err
	}
	for len(files) > 0 {
		if files, err = r.deleteSome(files); err != nil {
			return fmt.Errorf("deleting refs: %w", err)
		}
	}
	return r.touch()
}

// deletionOrder is the refs' files, each behind its aliases: there is never an
// alias that leads nowhere, which breaks every listing for ostree.
func (r *Repo) deletionOrder(names []refs.Name, links map[string][]string) (order []string, err error) {
	const waiting, placed = 1, 2
	state := map[string]int{}
	for _, name := range names {
		state["refs/"+r.stored(name).Path()] = waiting
	}
	var place func(file string)
	place = func(file string) {
		state[file] = placed
		for _, alias := range links[file] {
			if state[alias] == waiting {
				place(alias)
			}
		}
		order = append(order, file)
	}
	for _, name := range names {
		file := "refs/" + r.stored(name).Path()
		for _, alias := range links[file] {
			if state[alias] == 0 {
				return nil, r.aliasError(name, alias)
			}
		}
		if state[file] == waiting {
			place(file)
		}
	}
	return order, nil
}

// deleteSome deletes the first files, as far as they are in one directory, and
// makes that durable. It returns the others.
func (r *Repo) deleteSome(files []string) (rest []string, err error) {
	name := path.Dir(files[0])
	dir, err := r.OpenDir(name)
	if errors.Is(err, unix.ENOENT) {
		return files[1:], nil
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	for rest = files; len(rest) > 0 && path.Dir(rest[0]) == name; rest = rest[1:] {
		if err := unix.Unlinkat(int(dir.Fd()), path.Base(rest[0]), 0); err != nil && err != unix.ENOENT {
			return nil, &os.PathError{Op: "unlinkat", Path: rest[0], Err: describe(err)}
		}
	}
	return rest, r.SyncDir(dir)
}
