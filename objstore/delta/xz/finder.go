package xz

import (
	"encoding/binary"
	"math/bits"

	"deployfs/objstore/delta/prefix"
	"deployfs/objstore/delta/scratch"
)

const (
	// nice is from how many bytes on a match is taken without looking for a better one.
	nice = 64
	// depth is how many places are looked at for a match.
	depth = 48
	// hashed is how many bytes of a place decide in which tree it is.
	hashed = 4
)

// match is bytes that were there before.
type match struct {
	length int
	dist   uint32 // to where, counted from 0 on
}

// finder finds, for one place after the other, earlier places with the same bytes. Places lie in
// binary trees by what follows them, one tree for each hash of hashed bytes, the newest at the
// root. Places are counted from 1 on, as 0 is none.
type finder struct {
	data    []byte
	window  int
	at      int // the next place, counted from 0 on
	own     int // what it is called in sons: the same, modulo the window
	two     []int32
	three   []int32
	roots   []int32
	shift   int
	sons    []int32 // two for each place in the window
	matches []match

	freeRoots, freeSons func()
}

const (
	twoBits   = 16
	threeBits = 16
	maxRoots  = 22 // bits
)

// newFinder begins at the start of data, which has less than 2 GiB. It takes 8 bytes of memory
// for each byte of the window or, where that is shorter, of data, and is to be closed.
func newFinder(data []byte, window int) *finder {
	window = max(min(window, len(data)), 1)
	rootBits := min(max(bits.Len(uint(window))-1, 10), maxRoots)
	f := &finder{
		data: data, window: window, shift: 32 - rootBits,
		two: make([]int32, 1<<twoBits), three: make([]int32, 1<<threeBits),
	}
	f.roots, f.freeRoots = scratch.Int32s(1 << rootBits)
	f.sons, f.freeSons = scratch.Int32s(2 * window)
	return f
}

func (f *finder) close() {
	f.freeRoots()
	f.freeSons()
}

// next returns the matches at the next place, the longer ones with the larger distances. Their
// lengths are right up to maxMatch bytes for the last one.
func (f *finder) next() []match {
	f.matches = f.matches[:0]
	at, limit := f.at, min(len(f.data)-f.at, nice)
	f.at++
	if limit < hashed {
		return nil
	}
	root, best := f.short(at, limit)
	if best == limit {
		f.insert(at, root, limit, limit)
	} else {
		f.insert(at, root, limit, max(best, hashed-1))
	}
	if n := len(f.matches); n > 0 && f.matches[n-1].length == limit {
		last := &f.matches[n-1]
		most := f.data[at:min(len(f.data), at+maxMatch)]
		last.length += prefix.Shared(most[limit:], f.data[at-int(last.dist)-1+limit:])
	}
	return f.matches
}

// skip passes over places.
func (f *finder) skip(n int) {
	for range n {
		at, limit := f.at, min(len(f.data)-f.at, nice)
		f.at++
		if limit < hashed {
			continue
		}
		f.insert(at, f.enter(at), limit, limit)
	}
}

// enter puts a place into the tables and returns the one that was there before for hashed bytes.
func (f *finder) enter(at int) (root int32) {
	v := binary.LittleEndian.Uint32(f.data[at:])
	f.two[v&0xffff] = int32(at + 1)
	f.three[v<<8*0x9e3779b1>>(32-threeBits)] = int32(at + 1)
	h := v * 0x9e3779b1 >> f.shift
	root = f.roots[h]
	f.roots[h] = int32(at + 1)
	return root
}

// short finds matches that may be shorter than what is hashed for the trees, and enters the place.
func (f *finder) short(at, limit int) (root int32, best int) {
	v := binary.LittleEndian.Uint32(f.data[at:])
	two, three := int(f.two[v&0xffff]), int(f.three[v<<8*0x9e3779b1>>(32-threeBits)])
	root = f.enter(at)
	for _, place := range [...]int{two, three} {
		dist := at + 1 - place
		if place == 0 || dist > f.window || len(f.matches) > 0 && place == two {
			continue
		}
		length := prefix.Shared(f.data[at:at+limit], f.data[place-1:])
		if length > best && length >= minMatch {
			best = length
			f.matches = append(f.matches, match{length, uint32(dist - 1)})
		}
	}
	return root, best
}

// insert puts a place into its tree, as the new root, and on the way notes matches that are longer
// than best.
func (f *finder) insert(at int, root int32, limit, best int) {
	data, sons, window := f.data, f.sons, f.window
	own := f.own
	if f.own++; f.own == window {
		f.own = 0
	}
	less, more := 2*own, 2*own+1 // where the next place goes whose bytes are less or more
	lessLength, moreLength := 0, 0
	current := data[at : at+limit]
	for left := depth; ; left-- {
		place := int(root) - 1
		dist := at - place
		if left == 0 || root == 0 || dist >= window {
			sons[less], sons[more] = 0, 0
			return
		}
		pair := own - dist
		if pair < 0 {
			pair += window
		}
		length := min(lessLength, moreLength)
		there := data[place : place+limit]
		if there[length] == current[length] {
			length += prefix.Shared(current[length:], there[length:])
			if length > best {
				best = length
				f.matches = append(f.matches, match{length, uint32(dist - 1)})
			}
			if length == limit {
				sons[less], sons[more] = sons[2*pair], sons[2*pair+1]
				return
			}
		}
		if there[length] < current[length] {
			sons[less] = root
			less = 2*pair + 1
			root = sons[less]
			lessLength = length
		} else {
			sons[more] = root
			more = 2 * pair
			root = sons[more]
			moreLength = length
		}
	}
}
