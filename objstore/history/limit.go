package history

import "errors"

// maxListed bounds the memory of a listing, about, in bytes: few objects can
// make a tree with more entries than there are atoms.
const maxListed = 512 << 20

// perEntry is about what an entry of a listing takes beside its path, in bytes.
const perEntry = 256

// maxDepth bounds the nesting of directories, as package tree does.
const maxDepth = 4096

var (
	errListed = errors.New("too many entries to list")
	errDepth  = errors.New("directories are nested too deeply")
)

// budget is how much more a listing may take, in bytes.
type budget int

// take fails when an entry with this path is too much.
func (b *budget) take(path string) error {
	if *b -= budget(len(path) + perEntry); *b < 0 {
		return errListed
	}
	return nil
}
