package backing

import "time"

// maxMemory is how many bytes of inflated content a Store holds in memory.
const maxMemory = 64 << 20

// add holds a file as unused, so that nothing is lost when nobody takes it.
func (s *Store) add(h *shard, f *File) {
	h.mu.Lock()
	old := h.files[f.sum]
	gone := old != nil && s.drop(h, old)
	h.files[f.sum] = f
	h.push(f, int64(time.Since(s.began)))
	h.mu.Unlock()
	s.files.Add(1)
	if gone {
		s.discard(old)
	}
}

// drop forgets a file. When nobody uses it, the caller must discard it, without
// the lock.
func (s *Store) drop(h *shard, f *File) (unused bool) {
	delete(h.files, f.sum)
	h.pull(f)
	f.dropped = true
	s.files.Add(-1)
	return f.users == 0
}

// discard closes a file that was dropped and is unused.
func (s *Store) discard(f *File) {
	s.bytes.Add(-f.nameless)
	s.memory.Add(-f.memory)
	f.close()
}

// shrink closes unused files until the Store is within its limits. It keeps the
// last, or content larger than the limit would be inflated for each read.
func (s *Store) shrink() {
	for s.exceeded() && s.dropOldest(1) {
	}
}

func (s *Store) exceeded() bool {
	return s.files.Load() > int64(s.limits.Files) || s.bytes.Load() > s.limits.Bytes || s.memory.Load() > maxMemory
}

// dropOldest closes the file that was unused the longest, but keeps some. It
// looks at the shards without their locks, so that it may err by a moment.
func (s *Store) dropOldest(keep int32) bool {
	var oldest *shard
	at, idles := int64(noIdle), int32(0)
	for i := range s.shards {
		h := &s.shards[i]
		idles += h.idles.Load()
		if released := h.oldest.Load(); released < at {
			oldest, at = h, released
		}
	}
	if oldest == nil || idles <= keep {
		return false
	}
	oldest.mu.Lock()
	f := oldest.idle.next
	found := f != &oldest.idle
	if found {
		s.drop(oldest, f) // it is unused
	}
	oldest.mu.Unlock()
	if found {
		s.discard(f)
	}
	return true
}

// makeRoom closes unused files until this many bytes of memory are free, and
// takes them. It reports whether there were as many.
func (s *Store) makeRoom(bytes int64) bool {
	for s.memory.Load()+bytes > maxMemory && s.dropOldest(0) {
	}
	if s.memory.Add(bytes) > maxMemory {
		s.memory.Add(-bytes)
		return false
	}
	return true
}
