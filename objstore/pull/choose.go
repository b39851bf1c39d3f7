package pull

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/summary"
)

// wanted are the commits that are asked for, and by which refs.
type wanted struct {
	order []object.Checksum // each once
	refs  map[object.Checksum][]string
}

func (w *wanted) add(commit object.Checksum, ref string) {
	known, ok := w.refs[commit]
	if !ok {
		w.order = append(w.order, commit)
	}
	if ref != "" {
		known = append(known, ref)
	}
	w.refs[commit] = known
}

// choose finds the commits that are asked for. Tombstones tells whether the source
// has tombstones of deleted commits.
func (o *Options) choose(dest, src *objstore.Repo) (w wanted, tombstones bool, err error) {
	w.refs = map[object.Checksum][]string{}
	names, err := o.names(src)
	if err != nil {
		return w, false, err
	}
	list, err := o.summary(src, names)
	if err != nil {
		return w, false, err
	}
	for _, name := range names {
		if object.IsChecksum(name) {
			sum, err := object.ParseChecksum(name)
			if err != nil {
				return w, false, err
			}
			w.add(sum, "")
			continue
		}
		commit, err := resolve(src, list, name)
		if err != nil {
			return w, false, err
		}
		w.add(commit, name)
	}
	return w, list != nil && list.Tombstones(), o.requireDeltas(dest, src, list, w)
}

// names are the refs and checksums that are asked for, each once.
func (o *Options) names(src *objstore.Repo) (names []string, err error) {
	asked := o.Refs
	if asked == nil {
		list, err := src.Refs()
		if err != nil {
			return nil, err
		}
		for _, ref := range list {
			asked = append(asked, ref.String())
		}
	}
	seen := map[string]bool{}
	for _, name := range asked {
		if !object.IsChecksum(name) {
			if err := refs.CheckRef(name); err != nil {
				return nil, err
			}
		}
		if !seen[name] {
			names = append(names, name)
		}
		seen[name] = true
	}
	return names, nil
}

// resolve is the commit that a ref means: by the summary, when there is one.
func resolve(src *objstore.Repo, list *summary.Summary, name string) (object.Checksum, error) {
	if list == nil {
		return src.Resolve(name)
	}
	ref, ok := list.Refs().Lookup(name)
	if !ok {
		return ref.Commit, fmt.Errorf("No such branch '%s' in repository summary", name)
	}
	return ref.Commit, nil
}

// summary reads the summary, when there is one and it matters, and has its
// signature verified where that is asked for.
func (o *Options) summary(src *objstore.Repo, names []string) (*summary.Summary, error) {
	if o.VerifySummary == nil && !slices.ContainsFunc(names, func(name string) bool { return !object.IsChecksum(name) }) {
		return nil, nil
	}
	data, err := readOptional(src, "summary")
	if err != nil {
		return nil, err
	}
	if o.VerifySummary != nil {
		signatures, err := readOptional(src, "summary.sig")
		if err == nil {
			err = o.VerifySummary(data, signatures)
		}
		if err != nil {
			return nil, err
		}
	}
	if data == nil {
		return nil, nil
	}
	return summary.Parse(data)
}

// readOptional reads a file of a repository; nil is that there is none.
func readOptional(src *objstore.Repo, name string) ([]byte, error) {
	data, err := src.ReadFile(name, summary.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("openat(%s): %w", name, err)
	}
	return data, nil
}
