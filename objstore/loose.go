package objstore

import (
	"fmt"
	"os"
	"strings"

	"deployfs/objstore/object"
)

// Dir is the repository's directory, as long as the repository is open.
func (r *Repo) Dir() *os.File { return r.dir }

// ObjectFile is where this repository keeps an object, or would: a path below
// the directory objects, which is open as long as the repository is.
func (r *Repo) ObjectFile(name object.Name) (objects *os.File, path string) {
	return r.objects, r.loosePath(name)
}

// EachObject visits what this repository holds, without its parents: content,
// dirtrees, dirmetas, commits and payload links, two hex digits after the other.
// Files that are named like no object are passed over.
func (r *Repo) EachObject(visit func(object.Name)) error {
	for i := range 256 {
		dir := fmt.Sprintf("%02x", i)
		names, err := r.readNames(r.objects, dir)
		if err != nil {
			return fmt.Errorf("listing objects: %w", err)
		}
		for _, name := range names {
			if object, ok := r.ObjectOf(dir, name); ok {
				visit(object)
			}
		}
	}
	return nil
}

// EachDetached visits the commits of which this repository, without its parents, holds
// detached metadata, until visit fails. The commits themselves may be gone.
func (r *Repo) EachDetached(visit func(commit object.Checksum) error) error {
	suffix := "." + object.KindCommitMeta.String()
	for i := range 256 {
		dir := fmt.Sprintf("%02x", i)
		names, err := r.readNames(r.objects, dir)
		if err != nil {
			return fmt.Errorf("listing objects: %w", err)
		}
		for _, name := range names {
			digits, ok := strings.CutSuffix(name, suffix)
			if !ok {
				continue
			}
			sum, err := object.ParseChecksum(dir + digits)
			if err != nil {
				continue
			}
			if err := visit(sum); err != nil {
				return err
			}
		}
	}
	return nil
}

// ObjectOf is the object that [Repo.EachObject] takes a file for, by the names of
// its directory and its own; false when that is none.
func (r *Repo) ObjectOf(dir, name string) (o object.Name, ok bool) {
	digits, suffix, _ := strings.Cut(dir+name, ".")
	if o.Kind, ok = r.kindOf(suffix); !ok || len(dir) != 2 {
		return o, false
	}
	sum, err := object.ParseChecksum(digits)
	o.Checksum = sum
	return o, err == nil
}

// kindOf is the kind of an object whose file has this suffix.
func (r *Repo) kindOf(suffix string) (object.Kind, bool) {
	if (r.mode == Archive) == (suffix == "filez") && (suffix == "file" || suffix == "filez") {
		return object.KindFile, true
	}
	for _, kind := range []object.Kind{object.KindDirTree, object.KindDirMeta, object.KindCommit, object.KindPayloadLink} {
		if suffix == kind.String() {
			return kind, true
		}
	}
	return 0, false
}
