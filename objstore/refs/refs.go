// Package refs knows what refs, remotes and refspecs may be called.
//
// A ref is one or more fragments joined by slashes; a refspec is a ref that may
// stand behind a remote's name and a colon.
//
// Source: ostree, src/libostree/ostree-core.c, ostree_parse_refspec.
package refs

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Spec is a parsed refspec.
type Spec struct {
	Remote string // "" for a ref without a remote
	Ref    string
}

// Parse reads (REMOTE:)REF.
func Parse(text string) (Spec, error) {
	remote, ref, found := strings.Cut(text, ":")
	if !found {
		remote, ref = "", text
	}
	if found && !IsFragment(remote) || !IsRef(ref) {
		return Spec{}, fmt.Errorf("Invalid refspec %s", text)
	}
	return Spec{remote, ref}, nil
}

// String is the refspec as ostree prints it.
func (s Spec) String() string {
	if s.Remote == "" {
		return s.Ref
	}
	return s.Remote + ":" + s.Ref
}

// IsRef reports whether name can be a ref.
func IsRef(name string) bool {
	for fragment := range strings.SplitSeq(name, "/") {
		if !IsFragment(fragment) {
			return false
		}
	}
	return true
}

// IsFragment reports whether name can be one part of a ref, or a remote: it
// starts with a letter, a digit or an underscore, and goes on with these,
// hyphens and dots.
func IsFragment(name string) bool {
	if name == "" || name[0] == '-' || name[0] == '.' || !utf8.ValidString(name) {
		return false
	}
	for _, c := range name {
		if c != '-' && c != '.' && c != '_' && !unicode.IsLetter(c) && !unicode.IsNumber(c) {
			return false
		}
	}
	return true
}
