package history

import "errors"

// maxListed bounds the memory of a listing, about, in bytes: few objects can
// make a tree with more entries than there are atoms.
const maxListed = 512 << 20

// What an entry of a listing takes beside its path, in bytes, until it is printed, and with what
// the garbage collector has not freed yet.
const (
	perFound = 1536 // or a run of one
	perLine  = 1024
)

// maxMeasured bounds the differences between two trees that are counted: of time, not of memory.
const maxMeasured = 1 << 21

// maxDepth bounds the nesting of directories, as package tree does.
const maxDepth = 4096

var (
	errListed   = errors.New("too many entries to list")
	errMeasured = errors.New("too many changes to count")
	errDepth    = errors.New("directories are nested too deeply")
)

// budget is how much more a listing may take, in bytes.
type budget int

// take fails when an entry with this path, and so much beside it, is too much.
func (b *budget) take(path string, beside int) error {
	if *b -= budget(len(path) + beside); *b < 0 {
		return errListed
	}
	return nil
}
