package fsck

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"deployfs/objstore/object"
)

// Problem is an object that is absent or corrupt.
type Problem struct {
	Object  object.Name
	Ref     string            // what a ref says that names no commit; Object is not set then
	Missing bool              // absent; else corrupt, or not readable
	Commits []object.Checksum // that need it, sorted; none when it was met through a ref
	Err     error             // what is wrong, of one that is not absent
}

// Error is ostree's line about the object.
func (p *Problem) Error() string {
	switch {
	case p.Missing && p.Commits == nil:
		return "Object missing: " + p.Name()
	case p.Missing:
		return fmt.Sprintf("Object missing in commits %s: %s", joined(p.Commits), p.Object)
	}
	what := "fsck " + p.Object.String()
	if p.Object.Kind == object.KindFile {
		what = "fsck content object " + p.Object.Checksum.String()
	}
	if p.Commits != nil {
		what = "In commits " + joined(p.Commits) + ": " + what
	}
	return what + ": " + p.Reason()
}

// Name is the object's, CHECKSUM.KIND, or what stands in a ref in its place.
func (p *Problem) Name() string {
	if p.Ref != "" {
		return p.Ref
	}
	return p.Object.String()
}

func (p *Problem) Unwrap() error { return p.Err }

// Hint is the remedy, for what is corrupt.
func (p *Problem) Hint() string {
	if !errors.As(p.Err, new(*object.CorruptError)) {
		return ""
	}
	return "with --delete it is removed, so that a pull can fetch it again; --all finds the rest"
}

// Reason says what is wrong in words that do not name the object again, but where
// ostree does.
func (p *Problem) Reason() string {
	var corrupt *object.CorruptError
	switch {
	case p.Missing:
		return "the repository does not hold it"
	case !errors.As(p.Err, &corrupt):
		return p.Err.Error()
	case corrupt.Err != nil:
		return corrupt.Err.Error()
	}
	return fmt.Sprintf("Corrupted %s object; checksum expected='%s' actual='%s'", p.Object.Kind, corrupt.Expected, corrupt.Found)
}

func joined(list []object.Checksum) string {
	text := make([]string, len(list))
	for i, sum := range list {
		text[i] = sum.String()
	}
	return strings.Join(text, ", ")
}

// problemOf sorts what reading an object brought.
func problemOf(name object.Name, err error) Problem {
	return Problem{Object: name, Missing: errors.Is(err, fs.ErrNotExist), Err: err}
}
