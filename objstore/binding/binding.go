// Package binding reads and checks what a commit's metadata says of the refs and of the
// collection that it is made for, so that a server can't pass it off as something else.
package binding

import (
	"errors"
	"fmt"
	"strings"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// The keys of a commit's metadata that tie it to refs.
const (
	KeyRefs       = "ostree.ref-binding"        // as
	KeyCollection = "ostree.collection-binding" // s
)

// Refs are the refs that a commit may be served for; false when it does not say.
func Refs(c object.Commit) (list []string, ok bool) {
	v, ok := lookup(c, KeyRefs, "as")
	if !ok {
		return nil, false
	}
	for i := range v.Len() {
		list = append(list, v.At(i).Str())
	}
	return list, true
}

// Collection is the collection that a commit belongs to; false when it does not say.
func Collection(c object.Commit) (id string, ok bool) {
	v, ok := lookup(c, KeyCollection, "s")
	if !ok {
		return "", false
	}
	return v.Str(), true
}

// lookup finds metadata of a type. With another type it is as if it were not there.
func lookup(c object.Commit, key, typ string) (gvariant.Value, bool) {
	v, ok := c.Metadata.Lookup(key)
	return v, ok && v.Type() == typ
}

// Check fails, in ostree's words, unless a commit may be served for all of some refs of
// a collection. A ref "" is any. Without a collection ("") any will do, too, and so does a
// commit that says nothing; with one it must name both.
func Check(c object.Commit, collection string, refs ...string) error {
	bound, ok := Refs(c)
	switch {
	case !ok && collection == "":
		return nil
	case !ok:
		return errors.New("Expected commit metadata to have ref binding information, found none")
	}
	if err := checkRefs(bound, refs); err != nil || collection == "" {
		return err
	}
	id, ok := Collection(c)
	if !ok {
		return errors.New("Expected commit metadata to have collection ID binding information, found none")
	}
	if id != collection {
		return fmt.Errorf("Commit has collection ID ‘%s’ in collection binding metadata, while the remote it came from has collection ID ‘%s’", id, collection)
	}
	return nil
}

// checkRefs takes a time that grows with both lists, not with their product.
func checkRefs(bound, refs []string) error {
	known := make(map[string]struct{}, len(bound))
	for _, ref := range bound {
		known[ref] = struct{}{}
	}
	for _, ref := range refs {
		if _, ok := known[ref]; !ok && ref != "" {
			return fmt.Errorf("Commit has no requested ref ‘%s’ in ref binding metadata (%s)", ref, quoted(bound))
		}
	}
	return nil
}

func quoted(list []string) string {
	if len(list) == 0 {
		return "no refs"
	}
	return "‘" + strings.Join(list, "’, ‘") + "’"
}
