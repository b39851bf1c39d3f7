package fs

import (
	"cmp"
	"errors"
	iofs "io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore/object"
)

// shelf is a directory of names.
type shelf struct {
	row  row
	ino  uint64
	path string
}

// errGone says that a name has gone, or stands for something else by now.
var errGone = errors.New("it is there no more")

// shelf returns the directory of names at r, if it is one.
func (f *FS) shelf(r row) (shelf, bool) {
	if f.names == nil {
		return shelf{}, false
	}
	n, ok := f.nodes.get(r)
	if !ok || r != root && (n.pos&wordBit == 0 || f.recordOf(n).kind != NameDir) {
		return shelf{}, false
	}
	return shelf{r, n.ino, f.shelfPath(r)}, true
}

// shelfPath is where a directory of names is.
func (f *FS) shelfPath(r row) string {
	var parts []string
	for r != root {
		n, _ := f.nodes.get(r)
		parts = append(parts, f.recordOf(n).name)
		r = n.parent
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}

// lookupName finds a name on a shelf.
func (f *FS) lookupName(at shelf, name string, out *gofuse.EntryOut) gofuse.Status {
	found, err := f.names.Find(at.path, name)
	if errors.Is(err, iofs.ErrNotExist) {
		return gofuse.ENOENT
	}
	if err == nil {
		err = f.answerName(at, &found, out)
	}
	if err != nil {
		return f.failed(at.row, name, err)
	}
	return gofuse.OK
}

func (f *FS) answerName(at shelf, name *Name, out *gofuse.EntryOut) error {
	n, err := f.nameNode(at, name)
	if err != nil {
		return err
	}
	r, ok := f.nodes.child(n)
	if !ok {
		return errNoWords
	}
	e, err := f.named(r, n)
	if err != nil {
		return err
	}
	err = f.answer(&entry{n, e}, out)
	switch {
	case name.Kind != NameDir:
		out.EntryValid = 0
	case at.row != root:
		out.EntryValid, out.EntryValidNsec = 0, uint32(shelfValid)
	}
	return err
}

// shelfValid is how long the kernel may take a directory of names to be there
// that was: what is in it, it asks for each time. Else each path would take a
// message for each part.
const shelfValid = 100 * time.Millisecond

// listNames lists a shelf in the order of the words that its names have without
// values. So it can go on behind any entry, though names have come, gone and
// changed meanwhile, and though another server began: what is there all the time
// is listed once.
func (f *FS) listNames(at shelf, next *uint64, add func(gofuse.DirEntry, *entry) bool) gofuse.Status {
	list, err := f.listed.of(at.row, *next == 0, func() ([]listing, error) { return f.listShelf(at) })
	if errors.Is(err, iofs.ErrNotExist) {
		return gofuse.ENOENT
	}
	if err != nil {
		return f.failed(at.row, "", err)
	}
	n, _ := f.nodes.get(at.row)
	up, _ := f.nodes.get(n.parent)
	for ; *next < dots; *next++ {
		out := gofuse.DirEntry{Name: ".", Ino: at.ino, Mode: object.ModeDir, Off: *next + 1}
		if *next == 1 {
			out.Name, out.Ino = "..", up.ino
		}
		if !add(out, nil) {
			return gofuse.OK
		}
	}
	from, _ := slices.BinarySearchFunc(list, word(*next-dots), func(l listing, w word) int { return cmp.Compare(l.word, w) })
	for _, l := range list[from:] {
		r := f.words.get(l.word)
		off := uint64(l.word) + dots + 1
		if !add(gofuse.DirEntry{Name: r.name, Ino: l.ino, Mode: r.kind.mode(), Off: off}, nil) {
			break
		}
		*next = off
	}
	return gofuse.OK
}

// listing is a name as it is listed.
type listing struct {
	word word // of the name without its value
	ino  uint64
}

// listShelf lists all names of a shelf.
func (f *FS) listShelf(at shelf) ([]listing, error) {
	names, err := f.names.List(at.path)
	if err != nil {
		return nil, err
	}
	list := make([]listing, len(names))
	for i, n := range names {
		w, err := f.words.put(record{at.row, n.Kind, n.Name, ""})
		if err != nil {
			return nil, err
		}
		list[i] = listing{w, nameIno(at.ino, n.Name, n.value())}
	}
	slices.SortFunc(list, func(a, b listing) int { return cmp.Compare(a.word, b.word) })
	return list, nil
}

// maxListings is how many shelves may be listed at a time without being asked for
// their names more than once.
const maxListings = 16

// listings are the names of shelves that are being listed, which takes the
// kernel several requests.
type listings struct {
	mu   sync.Mutex
	held map[row][]listing
}

// of returns what read has returned for a shelf, lately, or anew.
func (l *listings) of(at row, anew bool, read func() ([]listing, error)) ([]listing, error) {
	l.mu.Lock()
	list, ok := l.held[at]
	l.mu.Unlock()
	if ok && !anew {
		return list, nil
	}
	list, err := read()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for other := range l.held {
		if len(l.held) < maxListings {
			break
		}
		delete(l.held, other)
	}
	if l.held == nil {
		l.held = map[row][]listing{}
	}
	l.held[at] = list
	return list, nil
}

// isName reports whether r is an entry of a shelf.
func (f *FS) isName(r row) bool {
	n, ok := f.nodes.get(r)
	return ok && f.names != nil && n.pos&wordBit != 0
}

// fact is the content of a file on a shelf.
type fact struct {
	row     row
	content string
}

// readName reads a file on a shelf, as long as it is the one that was looked up.
func (f *FS) readName(r row, e *named, buf []byte, offset int64) (int, error) {
	if e.rec.kind != NameFile {
		return 0, errIsDir
	}
	known := f.fact.Load()
	if known == nil || known.row != r {
		found, err := f.names.Find(f.shelfPath(e.rec.parent), e.rec.name)
		if errors.Is(err, iofs.ErrNotExist) || err == nil && (found.Kind != NameFile || found.value() != e.rec.value) {
			return 0, errGone
		}
		if err != nil {
			return 0, err
		}
		known = &fact{r, found.Value}
		f.fact.Store(known)
	}
	if offset >= int64(len(known.content)) {
		return 0, nil
	}
	return copy(buf, known.content[offset:]), nil
}
