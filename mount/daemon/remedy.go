package daemon

import (
	"errors"
	"io/fs"

	"deployfs/objstore"
	"deployfs/objstore/index"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// WithRemedy adds what the user can do about an error that keeps a commit from
// being mounted or indexed.
func WithRemedy(err error) error {
	var known hinter
	if err == nil || errors.As(err, &known) && known.Hint() != "" {
		return err
	}
	if remedy := remedyFor(err); remedy != "" {
		return &Failure{Text: err.Error(), Remedy: remedy}
	}
	return err
}

// withServerRemedy adds it to an error about what is on a server.
func withServerRemedy(err error) error {
	var known hinter
	var absent *object.NotExistError
	var corrupt *object.CorruptError
	switch {
	case errors.As(err, &known) && known.Hint() != "":
		return err
	case errors.As(err, &absent):
		return &Failure{Text: err.Error() + ": the server does not have it", Remedy: "its owner can tell with `ostree fsck` what is missing"}
	case errors.As(err, &corrupt):
		return &Failure{Text: err.Error(), Remedy: "its owner can tell with `ostree fsck` what is damaged"}
	}
	return err
}

func remedyFor(err error) string {
	var rev *objstore.RevError
	var absent *object.NotExistError
	var corrupt *object.CorruptError
	var path *tree.Error
	switch {
	case errors.As(err, &rev) && rev.Ambiguous:
		return "give more digits of the checksum"
	case errors.As(err, &rev):
		return "`deployfs refs` lists the refs there are"
	case errors.As(err, &absent):
		return "`ostree pull` fetches what a commit lacks"
	case errors.As(err, &corrupt):
		return "`ostree fsck --delete` removes what is damaged, and `ostree pull` fetches it anew"
	case errors.As(err, &path):
		return "`deployfs ls` shows what the commit holds"
	case errors.Is(err, fs.ErrPermission):
		return "run as the repository's owner, or as root"
	case errors.Is(err, objstore.ErrLocked):
		return "wait until ostree has ended, or use --no-lock"
	case errors.Is(err, index.ErrNowhere):
		return "name a directory that you can write to with --cache-dir=DIR"
	case errors.Is(err, objstore.ErrOpen):
		return "name an OSTree repository with --repo=PATH or $OSTREE_REPO"
	}
	return ""
}
