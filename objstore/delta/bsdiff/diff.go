package bsdiff

import (
	"fmt"
	"io"
	"math"

	"deployfs/objstore/delta/prefix"
)

// MaxSize is the largest old content, in bytes, that Diff can work with.
const MaxSize = math.MaxInt32 - 1

// Memory is how many bytes Diff takes, at most, for each byte of the old content.
const Memory = 6

const (
	// better is by how many bytes a match has to beat going on at the same distance.
	better = 8
	// long is from how many bytes on a match is taken without looking for a longer one.
	// What is lost by it is small: the next match that is looked for is extended backwards.
	long = 64
)

// Diff writes to w the patch that makes new of old. It takes O(n log n) time whatever the content,
// and, beside what it is given, at most Memory bytes for each byte of old.
func Diff(w io.Writer, old, new []byte) error {
	if len(old) > MaxSize {
		return fmt.Errorf("old content of %d bytes is too large for a bsdiff patch", len(old))
	}
	d := differ{w: w, old: old, new: new, index: newIndex(old), block: make([]byte, blockSize)}
	defer d.index.close()
	for d.scan < len(new) {
		d.next()
		if d.length == d.same && d.scan < len(new) {
			continue // it goes on at the same distance
		}
		if err := d.join(); err != nil {
			return err
		}
	}
	return nil
}

// differ is the state of a diff.
type differ struct {
	w        io.Writer
	old, new []byte
	index    *index

	scan      int // the place in new that was reached
	place     int // in old, of the match at scan
	length    int // of this match
	same      int // how many of its bytes are also found at the last distance
	lastScan  int // up to here new is written
	lastPlace int // in old, what lies at lastScan
	distance  int // from new to old, of the last region
	block     []byte
}

// at tells whether a byte of new is found in old at the last distance.
func (d *differ) at(scan int) bool {
	place := scan + d.distance
	return place >= 0 && place < len(d.old) && d.old[place] == d.new[scan]
}

// next goes on from the match at scan to the next one that is either wholly found at the last
// distance (so nothing changes), or clearly better than that, or to the end.
func (d *differ) next() {
	d.scan += d.length
	d.same, d.length = 0, 0
	counted := d.scan
	for ; d.scan < len(d.new); d.scan++ {
		d.match()
		for ; counted < d.scan+d.length; counted++ {
			if d.at(counted) {
				d.same++
			}
		}
		if d.length == d.same && d.length != 0 || d.length > d.same+better {
			return
		}
		if d.at(d.scan) {
			d.same--
		}
	}
	d.length = 0
}

// match finds the match at scan. The one found for the byte before is still good while it is long,
// and so is a long one at the last distance: repetitive content is not searched for each byte.
func (d *differ) match() {
	if d.length > long {
		d.place, d.length = d.place+1, d.length-1
		return
	}
	if place := d.scan + d.distance; place >= 0 && place < len(d.old) {
		if n := prefix.Shared(d.old[place:], d.new[d.scan:]); n >= long {
			d.place, d.length = place, n
			return
		}
	}
	d.place, d.length = d.index.longest(d.new[d.scan:])
}
