package bsdiff

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// blockSize is how much of the old content is held in memory at a time, in bytes.
const blockSize = 64 << 10

// ErrCorrupt is the error of a patch that does not describe newSize bytes.
var ErrCorrupt = errors.New("corrupt bsdiff patch")

// Patch writes to w the newSize bytes that patch makes of the oldSize bytes of old.
// The patch may come from anywhere: what it says is checked before it is done, and a patch that
// does not fit is refused with ErrCorrupt. Old content before its start and behind its end counts
// as zeros. It holds one block of 64 KiB, whatever the sizes. Whether the right content came out
// is for the caller to check.
func Patch(w io.Writer, old io.ReaderAt, oldSize int64, patch []byte, newSize int64) error {
	p := patcher{w: w, old: old, oldSize: oldSize, block: make([]byte, min(blockSize, max(newSize, 1)))}
	for left := newSize; left > 0; {
		if len(patch) < stepSize {
			return fmt.Errorf("%w: it ends %d bytes early", ErrCorrupt, left)
		}
		s := parseStep(patch)
		patch = patch[stepSize:]
		if s.add < 0 || s.copy < 0 || s.add > left || s.copy > left-s.add {
			return fmt.Errorf("%w: a step of %d and %d bytes where %d are left", ErrCorrupt, s.add, s.copy, left)
		}
		if s.add+s.copy > int64(len(patch)) {
			return fmt.Errorf("%w: a step of %d and %d bytes has %d", ErrCorrupt, s.add, s.copy, len(patch))
		}
		if err := p.step(s, patch[:s.add], patch[s.add:s.add+s.copy]); err != nil {
			return err
		}
		patch = patch[s.add+s.copy:]
		left -= s.add + s.copy
	}
	return nil
}

// patcher is the state of a patch being applied.
type patcher struct {
	w       io.Writer
	old     io.ReaderAt
	oldSize int64
	place   int64 // in the old content; may lie outside of it
	block   []byte
}

// step writes what one step makes and moves the place.
func (p *patcher) step(s step, differences, added []byte) error {
	for len(differences) > 0 {
		block := p.block[:min(len(p.block), len(differences))]
		if err := p.read(block); err != nil {
			return err
		}
		for i := range block {
			block[i] += differences[i]
		}
		if _, err := p.w.Write(block); err != nil {
			return err
		}
		differences = differences[len(block):]
		if err := p.move(int64(len(block))); err != nil {
			return err
		}
	}
	if len(added) > 0 {
		if _, err := p.w.Write(added); err != nil {
			return err
		}
	}
	return p.move(s.seek)
}

// read fills block with the old content at the place, and with zeros where there is none.
func (p *patcher) read(block []byte) error {
	before := min(max(-p.place, 0), int64(len(block)))
	end := max(before, min(int64(len(block)), p.oldSize-p.place))
	clear(block[:before])
	clear(block[end:])
	if before == end {
		return nil
	}
	if n, err := p.old.ReadAt(block[before:end], p.place+before); int64(n) < end-before {
		return fmt.Errorf("reading the old content: %w", noEOF(err))
	}
	return nil
}

// noEOF tells of content that is shorter than it was said to be.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// move moves the place by n.
func (p *patcher) move(n int64) error {
	if n > 0 && p.place > math.MaxInt64/2-n || n < 0 && p.place < math.MinInt64/2-n {
		return fmt.Errorf("%w: it seeks by %d", ErrCorrupt, n)
	}
	p.place += n
	return nil
}
