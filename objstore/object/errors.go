package object

import (
	"fmt"
	"io/fs"
)

// CorruptError says that an object's bytes are not what its name or its kind
// demands. Expected and Found are set when the checksum is what differs.
type CorruptError struct {
	Object   Name
	Expected Checksum
	Found    Checksum
	Err      error // why, when it is not the checksum
}

// Mismatch is the error for an object whose checksum is found instead of its name.
func Mismatch(name Name, found Checksum) error {
	return &CorruptError{Object: name, Expected: name.Checksum, Found: found}
}

// Corrupt is the error for an object that can't be decoded because of err.
func Corrupt(name Name, err error) error { return &CorruptError{Object: name, Err: err} }

func (e *CorruptError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("corrupted object %s: %v", e.Object, e.Err)
	}
	return fmt.Sprintf("corrupted %s object; checksum expected='%s' actual='%s'", e.Object.Kind, e.Expected, e.Found)
}

func (e *CorruptError) Unwrap() error { return e.Err }

// NotExistError says that a repository does not hold an object.
type NotExistError struct {
	Object Name
}

func (e *NotExistError) Error() string {
	if e.Object.Kind == KindFile {
		return fmt.Sprintf("Couldn't find file object '%s'", e.Object.Checksum)
	}
	return fmt.Sprintf("No such metadata object %s", e.Object)
}

// Is makes the error match [fs.ErrNotExist].
func (e *NotExistError) Is(target error) bool { return target == fs.ErrNotExist }
