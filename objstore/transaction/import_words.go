package transaction

import (
	"errors"
	"fmt"
	"io/fs"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// worded is an error in ostree's words.
type worded struct {
	text string
	err  error
}

func (w *worded) Error() string { return w.text }
func (w *worded) Unwrap() error { return w.err }

// absentFile is what ostree says when it finds nothing to link.
const absentFile = "linkat: No such file or directory"

// metadataFailure words why metadata was not taken over.
func metadataFailure(name object.Name, o ImportOptions, err error) error {
	prefix, text := "Importing "+name.String()+": ", reason(err)
	switch {
	case o.Untrusted:
		prefix = "fsck " + name.String() + ": "
	case errors.Is(err, fs.ErrNotExist):
		text = absentFile
	}
	return &worded{prefix + text, err}
}

// contentFailure words why content was not taken over, if it was not. Direct is
// content that is taken as it is.
func contentFailure(src *objstore.Repo, name object.Name, direct bool, o ImportOptions, err error) error {
	if err == nil {
		return nil
	}
	prefix, text := "", reason(err)
	absent := errors.Is(err, fs.ErrNotExist)
	switch {
	case direct && o.Untrusted:
		prefix = "fsck content object " + name.Checksum.String() + ": "
	case direct:
		prefix = "Importing " + name.String() + ": "
		if absent {
			return &worded{prefix + absentFile, err}
		}
	case text != err.Error():
		prefix = "Writing content object: "
	}
	for ; absent && src != nil; src = src.Parent() {
		if src.Mode() != objstore.Archive {
			prefix += "Opening content object " + name.Checksum.String() + ": "
		}
	}
	return &worded{prefix + text, err}
}

// reason is an error's text: in ostree's words, where the checksum of an object is
// what is wrong.
func reason(err error) string {
	damage := (*object.CorruptError)(nil)
	if !errors.As(err, &damage) || damage.Err != nil {
		return err.Error()
	}
	return fmt.Sprintf("Corrupted %s object; checksum expected='%s' actual='%s'", damage.Object.Kind, damage.Expected, damage.Found)
}
