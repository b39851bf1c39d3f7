package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// counted counts the bytes that were read of it, with others, until they are let go.
type counted struct {
	r   io.Reader
	now *atomic.Int64
	max *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	now := c.now.Add(int64(n))
	for old := c.max.Load(); now > old && !c.max.CompareAndSwap(old, now); old = c.max.Load() {
	}
	return n, err
}

func TestMemory(t *testing.T) {
	t.Parallel()
	const total = 4 << 20
	m := NewMemory(total)
	var now, most atomic.Int64
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			n, said := 1<<20+i, int64(1<<20+i)
			switch i % 5 {
			case 0:
				n, said = 6<<20, 6<<20
			case 1:
				said = -1
			case 2:
				said = 10 // of a mirror that has less
			case 3:
				n, said = i, -1
			}
			data, release, err := m.ReadAll(t.Context(), counted{bytes.NewReader(pattern(n)), &now, &most}, said)
			if err != nil || !bytes.Equal(data, pattern(n)) {
				t.Errorf("%d bytes of %d, %v", len(data), n, err)
				return
			}
			time.Sleep(time.Millisecond)
			now.Add(-int64(len(data)))
			release()
		})
	}
	all.Wait()
	if most := most.Load(); most > 6<<20+24*unsized {
		t.Errorf("%d bytes were held", most)
	}
	if !m.free.TryAcquire(total) {
		t.Error("room was lost")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if _, _, err := m.ReadAll(ctx, bytes.NewReader(nil), 5); err != why {
		t.Error(err)
	}
}

func TestMemoryErrors(t *testing.T) {
	t.Parallel()
	m := NewMemory(1000)
	broken := errors.New("broken")
	for _, n := range []int{5, 100, 5000} {
		r := io.MultiReader(bytes.NewReader(pattern(n)), errReader{broken})
		if data, release, err := m.ReadAll(t.Context(), r, 50); err != broken || data != nil || release != nil {
			t.Errorf("%d: %d bytes, %v", n, len(data), err)
		}
	}
	if !m.free.TryAcquire(1000) {
		t.Error("room was lost")
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }
