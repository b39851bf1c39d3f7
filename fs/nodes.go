package fs

import (
	"sync"
	"sync/atomic"
)

// root is the row of the mounted directory.
const root = 0

// row identifies an entry that the kernel has asked for.
type row uint32

// node is what a row holds: plain integers, which mean the same in another process.
type node struct {
	parent row
	pos    uint32 // in the parent's dirtree: files first, then directories
	ino    uint64 // inode number
}

const chunkRows = 1 << 12

// chunk holds rows in a place of their own, so that the table grows without
// copying them.
type chunk struct {
	nodes    [chunkRows]node
	verified [chunkRows / 32]atomic.Uint32 // a bit for each row
}

// table is an append-only list of nodes with an index by parent and position.
// It takes 16 bytes for a node, and 6 to 11 in the index.
type table struct {
	mu     sync.RWMutex
	chunks []*chunk
	len    uint32
	index  []row // open addressing; 0 is free, as the root is never looked up
}

func newTable() *table {
	t := &table{index: make([]row, 1<<10)}
	t.append(node{ino: rootIno})
	return t
}

// get returns the node of a row, false when there is no such row.
func (t *table) get(r row) (node, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if uint32(r) >= t.len {
		return node{}, false
	}
	return *t.at(r), true
}

func (t *table) at(r row) *node { return &t.chunks[r/chunkRows].nodes[r%chunkRows] }

// child returns the row of the entry at pos in parent, which it appends when the
// kernel asks for the first time; false when the table is full.
func (t *table) child(n node) (row, bool) {
	t.mu.RLock()
	r := t.index[t.slot(n)]
	t.mu.RUnlock()
	if r != 0 {
		return r, true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.index[t.slot(n)]; r != 0 {
		return r, true
	}
	if t.len == 1<<32-1 {
		return 0, false
	}
	if int(t.len) >= len(t.index)/4*3 {
		t.grow()
	}
	r = row(t.len)
	t.append(n)
	t.index[t.slot(n)] = r
	return r, true
}

func (t *table) append(n node) {
	if t.len%chunkRows == 0 {
		t.chunks = append(t.chunks, new(chunk))
	}
	*t.at(row(t.len)) = n
	t.len++
}

// slot is where in the index the row of n is, or would be.
func (t *table) slot(n node) int {
	mask := len(t.index) - 1
	h := (uint64(n.parent)<<32 | uint64(n.pos)) * 0x9e3779b97f4a7c15
	for i := int(h>>32) & mask; ; i = (i + 1) & mask {
		r := t.index[i]
		if r == 0 {
			return i
		}
		if known := t.at(r); known.parent == n.parent && known.pos == n.pos {
			return i
		}
	}
}

func (t *table) grow() {
	t.index = make([]row, 2*len(t.index))
	for r := row(1); uint32(r) < t.len; r++ {
		t.index[t.slot(*t.at(r))] = r
	}
}

// verified reports whether the row's content was marked as verified.
func (t *table) verified(r row) bool {
	word, bit := t.mark(r)
	return word.Load()&bit != 0
}

func (t *table) setVerified(r row) {
	word, bit := t.mark(r)
	word.Or(bit)
}

func (t *table) mark(r row) (word *atomic.Uint32, bit uint32) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return &t.chunks[r/chunkRows].verified[r%chunkRows/32], 1 << (r % 32)
}

// size is the number of rows.
func (t *table) size() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return int(t.len)
}
