package history

import (
	"fmt"
	"path"
	"strings"

	"deployfs/objstore/object"
)

// Target is what [Finder] looks for: an object, names, or paths.
type Target struct {
	object object.Checksum // zero for the others
	name   string          // pattern of a name, wherever it is
	parts  []string        // patterns of a path's parts, from the root on
}

// ParseTarget reads what to look for. A whole checksum is an object of any kind.
// All else is a pattern as [path.Match] takes it: without a slash it is for names
// anywhere, with one for whole paths from the root on, whether a slash leads or not.
func ParseTarget(text string) (t Target, err error) {
	if object.IsChecksum(text) {
		t.object, err = object.ParseChecksum(text)
		return t, err
	}
	for part := range strings.SplitSeq(text, "/") {
		if _, err := path.Match(part, ""); err != nil {
			return t, fmt.Errorf("'%s' is no pattern of names", text)
		}
		if part != "" && part != "." {
			t.parts = append(t.parts, part)
		}
	}
	if len(t.parts) == 0 {
		return t, fmt.Errorf("'%s' names nothing that not every commit has", text)
	}
	if !strings.Contains(text, "/") {
		t.name, t.parts = text, nil
	}
	return t, nil
}

// isPath reports whether the depth of a directory matters.
func (t *Target) isPath() bool { return t.parts != nil }

// names reports whether a name in a directory at some depth, where the root's is 0, is meant.
func (t *Target) names(name []byte, depth int) bool {
	pattern := t.name
	if t.isPath() {
		if depth != len(t.parts)-1 {
			return false
		}
		pattern = t.parts[depth]
	}
	return pattern != "" && matches(pattern, name)
}

// opens reports whether a subdirectory can hold what is meant.
func (t *Target) opens(name []byte, depth int) bool {
	return !t.isPath() || depth < len(t.parts)-1 && matches(t.parts[depth], name)
}

// matches is path.Match with a pattern that is known to be good.
func matches(pattern string, name []byte) bool {
	ok, err := path.Match(pattern, string(name))
	return ok && err == nil
}

// is reports whether an object is the one that is meant.
func (t *Target) is(sum object.Checksum) bool { return !sum.IsZero() && sum == t.object }
