package fetch

import (
	"bytes"
	"context"
	"io"
	"sync"

	"golang.org/x/sync/semaphore"
)

// Memory bounds what files take together that are held in memory. Its methods may be called at the
// same time.
type Memory struct {
	total int64
	free  *semaphore.Weighted
}

// NewMemory is for total bytes. A larger file is held alone.
func NewMemory(total int64) *Memory {
	return &Memory{total: total, free: semaphore.NewWeighted(total)}
}

// unsized is the room in bytes for a file whose size is not known, until it turns out to be larger.
const unsized = 256 << 10

// ReadAll reads a file to its end once there is room for size bytes, -1 being not known. Room that was
// waited for comes in turn. The file counts as held until release is called, which is nil after an error.
func (m *Memory) ReadAll(ctx context.Context, r io.Reader, size int64) (data []byte, release func(), err error) {
	if size < 0 {
		size = unsized
	}
	held := min(size, m.total)
	if err := m.free.Acquire(ctx, held); err != nil {
		return nil, nil, context.Cause(ctx)
	}
	var buffer bytes.Buffer
	defer func() {
		if err != nil {
			m.free.Release(held)
		}
	}()
	if err := readUpTo(&buffer, r, held); err != nil {
		return nil, nil, err
	}
	if int64(buffer.Len()) > held && held < m.total {
		// It takes the room of all others: two that each kept what they have would wait for ever.
		m.free.Release(held)
		held = 0
		if err := m.free.Acquire(ctx, m.total); err != nil {
			return nil, nil, context.Cause(ctx)
		}
		held = m.total
	}
	if _, err := buffer.ReadFrom(r); err != nil {
		return nil, nil, err
	}
	return buffer.Bytes(), sync.OnceFunc(func() { m.free.Release(held) }), nil
}

// readUpTo reads to the end, or one byte more than n. Memory is there for them when the first have come.
func readUpTo(buffer *bytes.Buffer, r io.Reader, n int64) error {
	for _, part := range []int64{min(n, maxGrow), n + 1} {
		part -= int64(buffer.Len())
		buffer.Grow(int(part) + bytes.MinRead)
		if read, err := buffer.ReadFrom(io.LimitReader(r, part)); err != nil || read < part {
			return err
		}
	}
	return nil
}
