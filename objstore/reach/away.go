package reach

import (
	"hash/maphash"

	"deployfs/objstore/object"
)

// away numbers checksums that are in no inventory, in the order in which they
// come: a hash table with open addressing, of some 40 bytes each.
type away struct {
	sums  []object.Checksum
	slots []uint32 // a number plus 1, or 0; as many as a power of two, at most half of them used
	seed  maphash.Seed
}

// find is a checksum's number.
func (a *away) find(sum object.Checksum) (n int, ok bool) {
	if len(a.slots) == 0 {
		return 0, false
	}
	slot := a.slots[a.slot(sum)]
	return int(slot) - 1, slot != 0
}

// add is a checksum's number, a new one if it has none yet.
func (a *away) add(sum object.Checksum) (n int, first bool) {
	if n, ok := a.find(sum); ok {
		return n, false
	}
	if 2*len(a.sums) >= len(a.slots) {
		a.grow()
	}
	a.sums = append(a.sums, sum)
	a.slots[a.slot(sum)] = uint32(len(a.sums))
	return len(a.sums) - 1, true
}

// slot is where a checksum stands, or would.
func (a *away) slot(sum object.Checksum) int {
	mask := len(a.slots) - 1
	i := int(maphash.Comparable(a.seed, sum)) & mask
	for a.slots[i] != 0 && a.sums[a.slots[i]-1] != sum {
		i = (i + 1) & mask
	}
	return i
}

func (a *away) grow() {
	if len(a.slots) == 0 {
		a.seed = maphash.MakeSeed() // who made the checksums must not choose where they stand
	}
	a.slots = make([]uint32, max(16, 2*len(a.slots)))
	for n, sum := range a.sums {
		a.slots[a.slot(sum)] = uint32(n + 1)
	}
}
