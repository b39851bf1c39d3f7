package session

import (
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// One thread that reads and answers all requests is the fastest, as long as
// nobody has to wait for it: the kernel would let two take turns, so that each is
// asleep when its turn comes. Hence another reads only if requests come faster
// than they are answered, or if one takes long, which the watch sees.
const (
	minSpare   = 2 // readers that may wait if they were needed
	watchEvery = time.Millisecond
	keepFor    = 10  // turns of the watch for which a reader stays that is not needed
	watchFor   = 100 // turns of the watch without a request until it ends
)

// start adds a reader, unless memory is short.
func (s *Session) start() error {
	b, err := s.takeBuffers()
	if err != nil {
		return err
	}
	s.waiting.Add(1)
	s.readers.Go(func() {
		defer s.giveBuffers(b)
		s.read(b)
	})
	return nil
}

// end has Serve return this error, which may be nil, when all readers have ended.
func (s *Session) end(err error) {
	s.once.Do(func() {
		s.failure = err
		close(s.ended)
	})
}

// read answers requests until too many readers wait for some.
func (s *Session) read(b *buffers) {
	for {
		n, err := retry(func() (int, error) { return unix.Read(s.fd, b.in) })
		if err == unix.ENOENT {
			continue // the request was taken back
		}
		alone := s.waiting.Add(-1) == 0
		switch {
		case err == unix.ENODEV || err == unix.ECONNABORTED || err == nil && n == 0:
			s.end(nil)
			return
		case err != nil:
			s.end(fmt.Errorf("fuse: reading a request: %w", err))
			return
		}
		s.active.Add(1)
		s.begun.Add(1)
		if s.stopping.Load() {
			s.active.Add(-1)
			return
		}
		if alone {
			s.relieve()
		}
		s.answer(b, n)
		s.active.Add(-1)
		if !s.stay() {
			return
		}
	}
}

// stay reports whether a reader is to wait for another request, as which it is
// then counted. One that leaves never is: another must not take it for one that
// would read what comes next.
func (s *Session) stay() bool {
	for {
		n := s.waiting.Load()
		if n > 0 && n >= s.spare.Load() {
			return false
		}
		if s.waiting.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// relieve sees to it that nobody waits for the answer to somebody else.
func (s *Session) relieve() {
	if s.pending() {
		s.grow()
	}
	if !s.watched.Load() && s.watched.CompareAndSwap(false, true) {
		s.readers.Go(s.watch)
	}
}

// pending reports whether there is a request that nobody has read.
func (s *Session) pending() bool {
	fd := unix.PollFd{Fd: int32(s.fd), Events: unix.POLLIN}
	var now unix.Timespec
	n, _, _ := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fd)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return n == 1 && fd.Revents&unix.POLLIN != 0
}

// grow adds a reader, which may wait for more when it has answered.
func (s *Session) grow() {
	s.grown.Store(true)
	if n := s.spare.Load(); n < int32(max(runtime.GOMAXPROCS(0), minSpare)) {
		s.spare.CompareAndSwap(n, n+1)
	}
	s.start() // or all waits until memory is there
}

// busy reports whether no reader will soon be back.
func (s *Session) busy() bool {
	return s.waiting.Load() == 0 && s.writing.Load() == 0
}

// watch adds readers while requests wait, and lets those go that are not needed.
// It ends when there is nothing to do.
func (s *Session) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for turn, idle, seen := 1, 0, s.begun.Load(); ; turn++ {
		select {
		case <-tick.C:
		case <-s.ended:
			return
		}
		if idle++; s.active.Load() > 0 {
			idle = 0
		}
		if idle >= watchFor {
			idle = 0
			s.spare.Store(1)
			s.watched.Store(false)
			if s.active.Load() == 0 || !s.watched.CompareAndSwap(false, true) {
				return // the next request has another watch begin
			}
		}
		begun := s.begun.Load()
		if begun == seen && s.busy() && s.pending() && !s.stopping.Load() {
			s.grow()
		}
		seen = begun
		if turn%keepFor == 0 && !s.grown.Swap(false) && s.spare.Load() > 1 {
			s.spare.Add(-1)
		}
	}
}
