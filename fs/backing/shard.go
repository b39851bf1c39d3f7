package backing

import (
	"math"
	"sync"
	"sync/atomic"

	"deployfs/objstore/flight"
	"deployfs/objstore/object"
)

// shard is a part of a Store with its own lock. What says so may be read
// without it.
type shard struct {
	flights flight.Group[wanted, *File]

	mu     sync.Mutex
	files  map[object.Checksum]*File
	idle   File         // head of the ring of unused files, the longest unused next to it
	oldest atomic.Int64 // when the longest unused file was released, or noIdle; read without the lock
	idles  atomic.Int32 // how many are unused; read without the lock

	_ [64]byte // another shard is on another cache line
}

const noIdle = math.MaxInt64

func (h *shard) init() {
	h.files = map[object.Checksum]*File{}
	h.idle.next, h.idle.prev = &h.idle, &h.idle
	h.oldest.Store(noIdle)
}

// use takes what is held, unless it lacks a check that is wanted.
func (h *shard) use(sum object.Checksum, check bool) *File {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.files[sum]
	if f == nil || check && !f.checked {
		return nil
	}
	h.take(f)
	return f
}

// held is what use would take.
func (h *shard) held(want wanted) *File {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f := h.files[want.sum]; f != nil && !want.anew && (f.checked || !want.check) {
		return f
	}
	return nil
}

// useFile takes a file that was just loaded, unless it is gone again.
func (h *shard) useFile(f *File) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.dropped {
		return false
	}
	h.take(f)
	return true
}

func (h *shard) take(f *File) {
	h.pull(f)
	f.users++
}

// push makes f the youngest of the unused files.
func (h *shard) push(f *File, now int64) {
	f.released = now
	f.prev, f.next = h.idle.prev, &h.idle
	f.prev.next, f.next.prev = f, f
	h.idles.Add(1)
	if h.idle.next == f {
		h.oldest.Store(now)
	}
}

// pull takes f out of the unused files, if it is there.
func (h *shard) pull(f *File) {
	if f.next == nil {
		return
	}
	first := h.idle.next == f
	f.prev.next, f.next.prev = f.next, f.prev
	f.prev, f.next = nil, nil
	h.idles.Add(-1)
	if !first {
		return
	}
	if h.idle.next == &h.idle {
		h.oldest.Store(noIdle)
	} else {
		h.oldest.Store(h.idle.next.released)
	}
}
