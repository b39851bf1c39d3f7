package explore

import (
	"context"
	"iter"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
)

const (
	batchRows = 1000                   // at most, read before they are shown
	batchTime = 100 * time.Millisecond // at most, likewise
)

// stream is a sequence of which as much is read as is wanted.
type stream[T any] struct {
	items  []T
	done   bool
	err    error // why it ended early
	busy   bool
	source *source[T]
}

// source is the unread rest of a sequence. Its batches are read outside of the model.
type source[T any] struct {
	mu     sync.Mutex
	cancel context.CancelFunc
	next   func() (T, error, bool)
	stop   func()
}

// batch is the next part of a stream.
type batch[T any] struct {
	source *source[T]
	items  []T
	done   bool
	err    error
}

func newStream[T any](seq func(context.Context) iter.Seq2[T, error]) stream[T] {
	ctx, cancel := context.WithCancel(context.Background())
	next, stop := iter.Pull2(seq(ctx))
	return stream[T]{source: &source[T]{cancel: cancel, next: next, stop: stop}}
}

// more reads on for v until there are wanted items; nil when there are, or are no more.
func (s *stream[T]) more(v view, wanted int) tea.Cmd {
	if s.source == nil || s.busy || s.done || len(s.items) >= wanted {
		return nil
	}
	s.busy = true
	return load(v, s.source.batch)
}

// add takes what more has read; false when it is of another stream, from before a reload.
func (s *stream[T]) add(b batch[T]) bool {
	if b.source != s.source {
		return false
	}
	s.busy = false
	s.items = append(s.items, b.items...)
	s.done, s.err = b.done, b.err
	return true
}

// close lets go of the sequence. A batch that is being read ends first, soon.
func (s *stream[T]) close() {
	if src := s.source; src != nil {
		src.cancel()
		go func() {
			src.mu.Lock()
			defer src.mu.Unlock()
			src.stop()
		}()
	}
}

func (s *source[T]) batch() batch[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := batch[T]{source: s}
	for start := time.Now(); len(b.items) < batchRows && time.Since(start) < batchTime; {
		item, err, ok := s.next()
		if !ok || err != nil {
			b.done, b.err = true, err
			break
		}
		b.items = append(b.items, item)
	}
	return b
}
