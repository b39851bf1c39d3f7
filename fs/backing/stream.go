package backing

import (
	"fmt"
	"io"
	"sync"
)

// streamWindow is how many bytes behind its end a stream remembers: readers
// that read ahead in parallel come a little out of order.
const streamWindow = 2 << 20

// stream reads content that could not be put anywhere. Reads that go on from
// one to the next inflate it once, others from its start.
type stream struct {
	open func() (Content, error)
	size int64

	mu      sync.Mutex
	content Content // nil before the first read and after an error
	ring    []byte  // the last bytes, that at offset o in ring[o%len]
	end     int64   // up to where content was read
}

func newStream(open func() (Content, error), size int64) *stream {
	return &stream{open: open, size: size}
}

// window is how many bytes the stream holds.
func (s *stream) window() int64 { return min(s.size, streamWindow) }

// readAt reads as File.ReadContent does.
func (s *stream) readAt(p []byte, off int64) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n < len(p) {
		at := off + int64(n)
		if at >= s.size {
			return n, io.EOF
		}
		if s.content == nil || at < s.end-s.window() {
			if err := s.restart(); err != nil {
				return n, err
			}
		}
		if at < s.end {
			from := at % s.window()
			to := min(from+s.end-at, s.window())
			n += copy(p[n:], s.ring[from:to])
		} else if err := s.advance(); err != nil {
			s.stop()
			return n, err
		}
	}
	return n, nil
}

func (s *stream) restart() (err error) {
	s.stop()
	if s.content, err = s.open(); err != nil {
		return err
	}
	if size := s.content.Size(); size != s.size {
		s.stop()
		return fmt.Errorf("content of %d bytes has %d now", s.size, size)
	}
	if s.ring == nil {
		s.ring = make([]byte, s.window())
	}
	return nil
}

// advance reads on. At the end it also reads what the content is worth.
func (s *stream) advance() error {
	from := s.end % s.window()
	n, err := s.content.Read(s.ring[from:min(from+128<<10, s.window())])
	s.end += int64(n)
	if err == nil && s.end == s.size {
		var none [1]byte
		_, err = s.content.Read(none[:])
	}
	switch {
	case err != io.EOF:
		return err
	case s.end < s.size:
		return io.ErrUnexpectedEOF
	}
	return nil
}

// stop closes the content.
func (s *stream) stop() {
	if s.content != nil {
		s.content.Close() // it was only read
	}
	s.content, s.end = nil, 0
}

func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
}
