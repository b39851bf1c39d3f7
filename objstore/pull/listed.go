package pull

import (
	"fmt"

	"deployfs/objstore/fetch"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/summary"
)

// listed is what a repository says that it has: its summary.
type listed struct {
	data, signature       []byte                     // the files; nil for one that is absent
	state, signatureState fetch.Validators           // of the files, as a server has told
	parsed                *summary.Summary           // nil for none
	tombstones            bool                       // it says of commits that it has deleted them
	sizes                 map[object.Checksum]uint64 // of commits that were looked up, in bytes
}

// list is a summary of these bytes, which may be nil.
func list(data, signature []byte) (l listed, err error) {
	l = listed{data: data, signature: signature, sizes: map[object.Checksum]uint64{}}
	if data != nil {
		if l.parsed, err = summary.Parse(data); err == nil {
			l.tombstones = l.parsed.Tombstones()
		}
	}
	return l, err
}

// all are the refs that a summary lists, each once: the first of a name counts.
func (l *listed) all() (list []request) {
	seen := map[refs.Name]struct{}{}
	add := func(collection string, all summary.Refs) {
		for i := range all.Len() {
			ref := all.At(i)
			name := refs.Name{Collection: collection, Ref: ref.Name}
			if _, twice := seen[name]; twice {
				continue
			}
			seen[name] = struct{}{}
			list = append(list, request{name, ref.Commit})
			l.sizes[ref.Commit] = ref.Size
		}
	}
	add(l.parsed.Collection(), l.parsed.Refs())
	for collection, all := range l.parsed.Collections() {
		add(collection, all)
	}
	return list
}

// settle finds a ref's commit, and the collection of a ref that names none.
func (l *listed) settle(r *request) error {
	own, asked := l.parsed.Collection(), r.name
	if r.name.Collection == "" {
		r.name.Collection = own
	}
	var found summary.Ref
	ok := false
	if r.name.Collection == own {
		found, ok = l.parsed.Refs().Lookup(r.name.Ref)
	} else {
		found, ok = l.lookup(r.name)
	}
	if !ok {
		return absent(asked)
	}
	r.commit = found.Commit
	l.sizes[found.Commit] = found.Size
	return nil
}

// lookup finds a ref of another collection than the repository's.
func (l *listed) lookup(name refs.Name) (r summary.Ref, ok bool) {
	for id, list := range l.parsed.Collections() {
		if id == name.Collection {
			return list.Lookup(name.Ref)
		}
	}
	return r, false
}

func absent(name refs.Name) error {
	if name.Collection == "" {
		return fmt.Errorf("No such branch '%s' in repository summary", name.Ref)
	}
	return fmt.Errorf("No such branch (%s, %s) in repository summary", name.Collection, name.Ref)
}
