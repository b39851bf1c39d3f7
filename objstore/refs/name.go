package refs

import (
	"fmt"
	"strings"
)

// Name is where a ref is stored: among the local refs, those of a remote, or
// those that are mirrored from a collection. At most one of Collection and
// Remote is set.
type Name struct{ Collection, Remote, Ref string }

// Dir is the directory below refs/ that holds the refs of this kind.
func (n Name) Dir() string {
	switch {
	case n.Collection != "":
		return "mirrors/" + n.Collection
	case n.Remote != "":
		return "remotes/" + n.Remote
	}
	return "heads"
}

// Path is the ref's file below refs/: heads/REF, remotes/REMOTE/REF or
// mirrors/COLLECTION/REF.
func (n Name) Path() string { return n.Dir() + "/" + n.Ref }

// String is the ref as ostree prints it: REF, REMOTE:REF or (COLLECTION, REF).
func (n Name) String() string {
	if n.Collection != "" {
		return fmt.Sprintf("(%s, %s)", n.Collection, n.Ref)
	}
	return Spec{n.Remote, n.Ref}.String()
}

// Check fails, in ostree's words, unless the name can be a ref's: then its path
// is one without detours.
func (n Name) Check() error {
	switch {
	case n.Collection != "" && n.Remote != "":
		return fmt.Errorf("ref %s of both remote %s and collection %s", n.Ref, n.Remote, n.Collection)
	case n.Remote != "" && !IsFragment(n.Remote):
		return fmt.Errorf("Invalid remote name %s", n.Remote)
	case n.Collection != "":
		if err := CheckCollection(n.Collection); err != nil {
			return err
		}
	}
	return CheckRef(n.Ref)
}

// CheckRef fails, in ostree's words, unless name can be a ref.
func CheckRef(name string) error {
	if !IsRef(name) {
		return fmt.Errorf("Invalid ref name %s", name)
	}
	return nil
}

// CheckCollection fails, in ostree's words, unless id can be a collection's: two
// or more words joined by dots, of at most 255 bytes.
func CheckCollection(id string) error {
	if words := strings.Split(id, "."); len(words) > 1 && len(id) <= maxCollection {
		if !containsBadWord(words) {
			return nil
		}
	}
	return fmt.Errorf("Invalid collection ID %s", id)
}

const maxCollection = 255 // bytes of a collection's id

func containsBadWord(words []string) bool {
	const letters = "_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for _, word := range words {
		if word == "" || strings.Trim(word, letters+"0123456789") != "" || word[0] >= '0' && word[0] <= '9' {
			return true
		}
	}
	return false
}
