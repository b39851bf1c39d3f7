package pull

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"deployfs/objstore/object"
)

const (
	keyRefs       = "ostree.ref-binding"
	keyCollection = "ostree.collection-binding"
)

// checkBindings fails, in ostree's words, unless a commit is made for a ref of a
// collection. Without a ref, any will do; without a collection, any, and a commit
// that says nothing, too.
func checkBindings(c object.Commit, collection, ref string) error {
	bound, ok := c.Metadata.Lookup(keyRefs)
	if !ok || bound.Type() != "as" {
		if collection == "" {
			return nil
		}
		return errors.New("Expected commit metadata to have ref binding information, found none")
	}
	if ref != "" {
		names := make([]string, bound.Len())
		for i := range names {
			names[i] = bound.At(i).Str()
		}
		if !slices.Contains(names, ref) {
			return fmt.Errorf("Commit has no requested ref ‘%s’ in ref binding metadata (%s)", ref, quoted(names))
		}
	}
	if collection == "" {
		return nil
	}
	id, ok := c.Metadata.Lookup(keyCollection)
	if !ok || id.Type() != "s" {
		return errors.New("Expected commit metadata to have collection ID binding information, found none")
	}
	if id.Str() != collection {
		return fmt.Errorf("Commit has collection ID ‘%s’ in collection binding metadata, while the remote it came from has collection ID ‘%s’", id.Str(), collection)
	}
	return nil
}

func quoted(names []string) string {
	if len(names) == 0 {
		return "no refs"
	}
	return "‘" + strings.Join(names, "’, ‘") + "’"
}
