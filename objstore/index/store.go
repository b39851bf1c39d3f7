package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// ErrNowhere says that an index has no place.
var ErrNowhere = errors.New("index: neither the repository nor the cache directory is this user's to write")

var errNone = errors.New("not an index")

const (
	suffix = ".index"
	// leftAfter is when a file that is being written counts as left behind.
	leftAfter = time.Hour
)

// Store is where the indexes of one repository are: in the repository itself,
// as REPO/deployfs/index, when that is the user's own; else below a directory
// of the user's. Those of root in the repository are believed, too.
type Store struct {
	flavour Flavour
	dirs    []*folder // searched in this order
	own     *folder   // where indexes are written, or nil
	cache   string    // the user's cache, when indexes are there
}

// OpenStore finds where the indexes of a repository are. It makes directories
// that are missing. Cache is a directory of the user's.
func OpenStore(repo *objstore.Repo, cache string) *Store {
	s := &Store{flavour: flavourOf(repo)}
	if f, err := openFolder(repo.Path(), permissions(repo), "deployfs", "index"); err == nil {
		s.dirs = append(s.dirs, f)
	}
	if len(s.dirs) == 0 || !s.dirs[0].mine {
		if f, err := cacheFolder(repo.Path(), cache); err == nil {
			s.dirs = append(s.dirs, f)
			s.cache = cache
		}
	}
	for _, f := range s.dirs {
		if f.mine && s.own == nil {
			s.own = f
		}
	}
	return s
}

// flavourOf tells repositories apart that show one object in different ways.
func flavourOf(repo *objstore.Repo) (f Flavour) {
	for ; repo != nil; repo = repo.Parent() {
		f = f*31 + Flavour(repo.Mode())*2 + 1
		if !repo.HasXattrs() {
			f++
		}
	}
	return f
}

// Close ends the use of the store; indexes that were opened stay.
func (s *Store) Close() {
	for _, f := range s.dirs {
		f.Close()
	}
}

// Open maps the index of root. It fails with [fs.ErrNotExist] when there is
// none that can be used; one that is of no use is removed.
func (s *Store) Open(root Root) (*Mapped, error) {
	for _, f := range s.dirs {
		if m, err := f.open(root, s.flavour); err == nil {
			return m, nil
		}
	}
	return nil, fmt.Errorf("index of dirtree %s: %w", root.Tree, fs.ErrNotExist)
}

// Totals is how many regular files the index of root has, and how many bytes are
// in them; 0 when there is no index. It reads no more than that, and checks
// nothing: a guess, not a fact.
func (s *Store) Totals(root Root) (files, bytes uint64) {
	for _, f := range s.dirs {
		if head, err := f.head(fileName(root)); err == nil {
			return binary.LittleEndian.Uint64(head[atFiles:]), binary.LittleEndian.Uint64(head[atBytes:])
		}
	}
	return 0, 0
}

// put keeps an index, in place of what was there. Who has that open keeps it.
func (s *Store) put(root Root, data []byte) error {
	if err := s.own.put(fileName(root), data); err != nil {
		return fmt.Errorf("index of dirtree %s: %w", root.Tree, err)
	}
	return nil
}

// Drop removes the index of root where it may, and reports whether there was one.
func (s *Store) Drop(root Root) (found bool, err error) {
	for _, f := range s.dirs {
		switch e := f.remove(fileName(root)); {
		case e == nil:
			found = true
		case !errors.Is(e, fs.ErrNotExist):
			err = fmt.Errorf("index of dirtree %s: %w", root.Tree, e)
		}
	}
	return found, err
}

func fileName(root Root) string {
	return root.Tree.String() + "-" + root.Meta.String()[:16] + suffix
}

// treeOf is the dirtree in the name of an index.
func treeOf(name string) (tree object.Checksum, ok bool) {
	digits, _, found := strings.Cut(name, "-")
	if !found || !strings.HasSuffix(name, suffix) {
		return tree, false
	}
	tree, err := object.ParseChecksum(digits)
	return tree, err == nil
}
