package compose

import "sync/atomic"

// Progress counts what was done.
type Progress struct {
	files, bytes atomic.Int64
}

// Files is the number of files that were taken.
func (p *Progress) Files() int64 { return p.files.Load() }

// Bytes is the size of what was read of them.
func (p *Progress) Bytes() int64 { return p.bytes.Load() }

func (p *Progress) add(size uint64) {
	p.files.Add(1)
	p.bytes.Add(int64(size))
}
