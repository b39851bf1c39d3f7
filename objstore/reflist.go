package objstore

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

// Ref is a ref of a repository.
type Ref struct {
	refs.Spec
	Collection string // of a mirrored ref, else ""
	Checksum   string // what the ref's file says; when that is none, what can be printed of it
	Alias      string // the ref that this one is an alias of, as it can be printed, else ""
}

// maxRefDepth bounds the slashes in a listed ref.
const maxRefDepth = 128

// Refs lists the repository's local refs and those of its remotes, sorted by
// name. What is no ref by its name is left out; a ref's content is not checked.
// An alias that leads nowhere is an error, as to ostree.
func (r *Repo) Refs() ([]Ref, error) { return r.localRefs(false) }

// StoredRefs is Refs, but lists an alias that leads nowhere, too, with an empty
// Checksum.
func (r *Repo) StoredRefs() ([]Ref, error) { return r.localRefs(true) }

func (r *Repo) localRefs(dangling bool) ([]Ref, error) {
	var list []Ref
	remote := ""
	add := func(ref Ref, err error) error {
		if err != nil && !(dangling && ref.Alias != "") {
			return err
		}
		ref.Remote = remote
		list = append(list, ref)
		return nil
	}
	if err := r.walkRefs("refs/heads", "", maxRefDepth, add); err != nil {
		return nil, err
	}
	remotes, err := r.remoteDirs()
	if err != nil {
		return nil, fmt.Errorf("Listing refs: %w", err)
	}
	for _, remote = range remotes {
		if !refs.IsFragment(remote) {
			continue
		}
		if err := r.walkRefs("refs/remotes/"+remote, "", maxRefDepth, add); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b Ref) int { return strings.Compare(a.String(), b.String()) })
	return list, nil
}

// remoteDirs lists what may be remotes that have refs. As to ostree, their directory
// must be there: without it a repository has lost refs, or was copied by a program
// that leaves empty directories out.
func (r *Repo) remoteDirs() ([]string, error) {
	dir, err := r.OpenDir("refs/remotes")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

// MirroredRefs lists the refs that the repository mirrors from collections,
// sorted by collection and name.
func (r *Repo) MirroredRefs() ([]Ref, error) {
	var list []Ref
	collections, err := r.readNames(r.dir, "refs/mirrors")
	if err != nil {
		return nil, err
	}
	for _, collection := range collections {
		if !refs.IsFragment(collection) { // no collection is called so, either
			continue
		}
		add := func(ref Ref, err error) error {
			ref.Collection = collection
			list = append(list, ref)
			return err
		}
		if err := r.walkRefs("refs/mirrors/"+collection, "", maxRefDepth, add); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// walkRefs visits the refs below a directory in order of their names' parts, also
// those that can't be read, with the error; it ends when visit fails.
func (r *Repo) walkRefs(dir, prefix string, depth int, visit func(Ref, error) error) error {
	if depth == 0 {
		return fmt.Errorf("listing refs: %s is nested too deeply", dir)
	}
	names, err := r.readNames(r.dir, dir)
	if errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("Listing refs: %w", err)
	}
	for _, name := range names {
		if !refs.IsFragment(name) {
			continue
		}
		if err := r.visitRef(dir+"/"+name, prefix+name, depth, visit); err != nil {
			return err
		}
	}
	return nil
}

func (r *Repo) visitRef(file, name string, depth int, visit func(Ref, error) error) error {
	var st unix.Stat_t
	if err := unix.Fstatat(int(r.dir.Fd()), file, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("Listing refs: %s: %w", name, describe(err))
	}
	ref := Ref{Spec: refs.Spec{Ref: name}}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return r.walkRefs(file, name+"/", depth-1, visit)
	case unix.S_IFLNK:
		target := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(int(r.dir.Fd()), file, target)
		if err != nil {
			return fmt.Errorf("Listing refs: %s: %w", name, describe(err))
		}
		ref.Alias = printable(strings.TrimPrefix(path.Join(path.Dir(name), string(target[:n])), "./"))
	case unix.S_IFREG:
	default:
		return nil
	}
	text, err := r.readRef(strings.TrimPrefix(file, "refs/"))
	if err != nil {
		return visit(ref, fmt.Errorf("Listing refs: %s: %w", name, plain(err)))
	}
	if !object.IsChecksum(text) {
		text = printable(text[:min(len(text), maxShownRef)])
	}
	ref.Checksum = text
	return visit(ref, nil)
}
