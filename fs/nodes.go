package fs

import (
	"math/bits"
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
// copying them. It is whole pages, and those that nobody wrote to take no memory.
type chunk struct {
	nodes    [chunkRows]node
	tags     [chunkRows]atomic.Uint32 // what is known of a node beside that
	backs    [chunkRows]uint64        // inode number of the file that the kernel reads by itself
	verified [chunkRows / 32]atomic.Uint32
	_        [4096 - chunkRows/8]byte
}

// table is an append-only list of nodes with an index by parent and position.
// It takes 21 bytes for a node in the state, 28 where the kernel reads files by
// itself, and 6 to 11 in the index. Readers take no lock.
type table struct {
	state  *State
	len    *atomic.Uint32 // in the state
	chunks atomic.Pointer[[]*chunk]
	index  atomic.Pointer[slots]
	mu     sync.Mutex // held to append
}

// slots is an open-addressing hash table of rows; 0 is free, as the root is
// never looked up.
type slots []atomic.Uint32

// newTable goes on with the rows that a state holds, or begins with the root's.
func newTable(state *State) (*table, error) {
	t := &table{state: state, len: &state.first.rows}
	t.chunks.Store(new([]*chunk))
	rows := int(t.len.Load())
	for len(*t.chunks.Load())*chunkRows < rows {
		if err := t.extend(); err != nil {
			return nil, err
		}
	}
	t.reindex(max(1<<10, 2<<bits.Len(uint(rows))))
	if rows == 0 {
		return t, t.append(node{ino: rootIno})
	}
	return t, nil
}

// extend maps one more chunk.
func (t *table) extend() error {
	c, err := t.state.chunk(len(*t.chunks.Load()))
	if err == nil {
		chunks := append(*t.chunks.Load(), c)
		t.chunks.Store(&chunks)
	}
	return err
}

// get returns the node of a row, false when there is no such row.
func (t *table) get(r row) (node, bool) {
	if uint32(r) >= t.len.Load() {
		return node{}, false
	}
	return *t.at(r), true
}

func (t *table) chunk(r row) *chunk { return (*t.chunks.Load())[r/chunkRows] }

func (t *table) at(r row) *node { return &t.chunk(r).nodes[r%chunkRows] }

// child returns the row of the entry at pos in parent, which it appends when the
// kernel asks for the first time; false when there is no room.
func (t *table) child(n node) (row, bool) {
	if r := t.find(n); r != 0 {
		return r, true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.find(n); r != 0 {
		return r, true
	}
	last := t.len.Load()
	if last == 1<<32-1 {
		return 0, false
	}
	if index := *t.index.Load(); int(last) >= len(index)/4*3 {
		t.reindex(2 * len(index))
	}
	if t.append(n) != nil {
		return 0, false
	}
	slot, _ := t.slot(*t.index.Load(), n)
	slot.Store(last)
	return row(last), true
}

// find returns the row of n, 0 when it has none yet.
func (t *table) find(n node) row {
	_, r := t.slot(*t.index.Load(), n)
	return r
}

// append adds a row. A process that ends meanwhile has added it or not.
func (t *table) append(n node) error {
	r := t.len.Load()
	if int(r) == len(*t.chunks.Load())*chunkRows {
		if err := t.extend(); err != nil {
			return err
		}
	}
	*t.at(row(r)) = n
	t.len.Store(r + 1) // from now on it is seen
	return nil
}

// slot is where in the index the row of n is, or would be, and that row, or 0: by
// now another's may be there.
func (t *table) slot(index slots, n node) (*atomic.Uint32, row) {
	mask := len(index) - 1
	h := (uint64(n.parent)<<32 | uint64(n.pos)) * 0x9e3779b97f4a7c15
	for i := int(h>>32) & mask; ; i = (i + 1) & mask {
		r := index[i].Load()
		if r == 0 {
			return &index[i], 0
		}
		if known := t.at(row(r)); known.parent == n.parent && known.pos == n.pos {
			return &index[i], row(r)
		}
	}
}

// reindex makes a larger index. Who still searches the old one finds less there,
// and then takes the lock.
func (t *table) reindex(size int) {
	index := make(slots, size)
	for r := row(1); uint32(r) < t.len.Load(); r++ {
		slot, _ := t.slot(index, *t.at(r))
		slot.Store(uint32(r))
	}
	t.index.Store(&index)
}

// tag is what was remembered of a row, 0 at first.
func (t *table) tag(r row) *atomic.Uint32 { return &t.chunk(r).tags[r%chunkRows] }

// back is the inode number of the file that the kernel reads for a row, guarded
// by the row's [passedShard].
func (t *table) back(r row) *uint64 { return &t.chunk(r).backs[r%chunkRows] }

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
	return &t.chunk(r).verified[r%chunkRows/32], 1 << (r % 32)
}

// size is the number of rows.
func (t *table) size() int { return int(t.len.Load()) }
