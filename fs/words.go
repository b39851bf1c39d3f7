package fs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"
)

const (
	wordsOffset = 1 << 40 // in the state, behind every chunk that there can be
	wordsPiece  = 1 << 20 // bytes that are mapped at a time; no record crosses into the next
	wordUnit    = 8       // bytes; a word is a record's place in these
	wordHead    = 8       // bytes of a record before the name
	maxWords    = 1 << 30 // bytes
)

// wordBit marks the position of a node that is no position but a [word]: the
// node is an entry of a directory of names.
const wordBit = 1 << 31

// word identifies a record: an entry that a directory of names has or had. It
// stands for the entry for ever, and is smaller than wordBit.
type word uint32

// record is what a word stands for.
type record struct {
	parent row
	kind   NameKind
	name   string // in place
	value  string // in place
}

var errNoWords = errors.New("too many names")

// words are the records of a mount, append-only, in the state; with an index by
// what they say, so that none is there twice. A record is the row of its
// directory (4 bytes), its kind (1), the lengths of its name (1) and of its value
// (2), both of these, and zeroes up to the next unit.
type words struct {
	state  *State
	used   *atomic.Uint32 // units, in the state
	pieces atomic.Pointer[[][]byte]
	mu     sync.RWMutex // guards known, and held to append
	known  map[string]word
}

// newWords goes on with the records that a state holds.
func newWords(state *State) (*words, error) {
	w := &words{state: state, used: &state.first.words, known: map[string]word{}}
	w.pieces.Store(new([][]byte))
	for at := 0; at < int(w.used.Load())*wordUnit; {
		if err := w.extend(at); err != nil {
			return nil, err
		}
		size := w.sizeAt(at)
		if size == 0 { // the rest of the piece
			at = (at/wordsPiece + 1) * wordsPiece
			continue
		}
		w.known[w.key(at, size)] = word(at / wordUnit)
		at += size
	}
	return w, nil
}

// extend maps pieces as far as the one that offset at is in.
func (w *words) extend(at int) error {
	pieces := *w.pieces.Load()
	for len(pieces) <= at/wordsPiece {
		mapped, err := w.state.piece(wordsOffset+int64(len(pieces))*wordsPiece, wordsPiece)
		if err != nil {
			return fmt.Errorf("names: %w", err)
		}
		pieces = append(pieces, mapped)
	}
	w.pieces.Store(&pieces)
	return nil
}

func (w *words) at(offset int) []byte {
	return (*w.pieces.Load())[offset/wordsPiece][offset%wordsPiece:]
}

// sizeAt is the size of the record at an offset, 0 when there is none.
func (w *words) sizeAt(offset int) int {
	head := w.at(offset)
	if len(head) < wordHead || head[4] == 0 {
		return 0
	}
	size := recordSize(int(head[5]), int(binary.LittleEndian.Uint16(head[6:])))
	if size > len(head) {
		return 0
	}
	return size
}

func recordSize(name, value int) int {
	return (wordHead + name + value + wordUnit - 1) / wordUnit * wordUnit
}

// key is a record as the index has it.
func (w *words) key(offset, size int) string { return unsafe.String(&w.at(offset)[0], size) }

// get returns what a word of this mount's stands for.
func (w *words) get(n word) record {
	b := w.at(int(n) * wordUnit)
	name, value := int(b[5]), int(binary.LittleEndian.Uint16(b[6:]))
	b = b[:wordHead+name+value]
	text := unsafe.String(&b[0], len(b))
	return record{
		parent: row(binary.LittleEndian.Uint32(b)), kind: NameKind(b[4]),
		name: text[wordHead : wordHead+name], value: text[wordHead+name:],
	}
}

// put returns the word for a record, which it appends when it is new.
func (w *words) put(r record) (word, error) {
	if len(r.name) == 0 || len(r.name) > maxName || len(r.value) >= 1<<16 {
		return 0, fmt.Errorf("name of %d bytes with a value of %d", len(r.name), len(r.value))
	}
	size := recordSize(len(r.name), len(r.value))
	b := make([]byte, wordHead, size)
	binary.LittleEndian.PutUint32(b, uint32(r.parent))
	b[4], b[5] = byte(r.kind), byte(len(r.name))
	binary.LittleEndian.PutUint16(b[6:], uint16(len(r.value)))
	b = append(append(b, r.name...), r.value...)[:size]
	w.mu.RLock()
	n, ok := w.known[string(b)]
	w.mu.RUnlock()
	if ok {
		return n, nil
	}
	return w.append(b)
}

func (w *words) append(b []byte) (word, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n, ok := w.known[string(b)]; ok {
		return n, nil
	}
	at := int(w.used.Load()) * wordUnit
	if at%wordsPiece+len(b) > wordsPiece {
		at = (at/wordsPiece + 1) * wordsPiece
	}
	if at+len(b) > maxWords {
		return 0, errNoWords
	}
	if err := w.extend(at); err != nil {
		return 0, err
	}
	clear(w.at(at)[copy(w.at(at), b):][:min(wordHead, wordsPiece-at%wordsPiece-len(b))]) // what a server that was killed has left
	w.used.Store(uint32((at + len(b)) / wordUnit))                                       // from now on it is seen
	w.known[w.key(at, len(b))] = word(at / wordUnit)
	return word(at / wordUnit), nil
}
