package checkout

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// failed says which system call failed, as ostree says it.
func failed(call string, err error) error {
	var errno unix.Errno
	if errors.As(err, &errno) {
		err = objstore.ErrnoError(errno)
	}
	return fmt.Errorf("%s: %w", call, err)
}

// linkError is a symbolic link in the destination where a directory should be.
type linkError struct{ error }

func (e linkError) Unwrap() error { return e.error }

func (linkError) Hint() string {
	return "symbolic links in the destination are not followed, as they may lead anywhere"
}

// isObjectError reports whether an error is about an object, which it names.
func isObjectError(err error) bool {
	var corrupt *object.CorruptError
	var absent *object.NotExistError
	var unreadable *objstore.ReadError
	return errors.As(err, &corrupt) || errors.As(err, &absent) || errors.As(err, &unreadable)
}
