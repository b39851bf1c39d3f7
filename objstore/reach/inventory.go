package reach

import (
	"bytes"
	"slices"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// Inventory is what a repository held when it was listed, by kind, and which of
// it is needed. The objects of a kind are numbered from 0 on.
type Inventory struct {
	shelves [object.KindPayloadLink + 1]shelf
}

// shelf is the objects of one kind, in buckets by their first byte.
type shelf struct {
	buckets [256]bucket
	count   int
	needed  []uint64 // a bit for each object, by its number
}

// bucket has sums in ascending order; first is the number of the first one.
type bucket struct {
	sums  []object.Checksum
	first int
}

// Take lists a repository, or only its commits.
func Take(repo *objstore.Repo, commitOnly bool) (*Inventory, error) {
	held := new(Inventory)
	err := repo.EachObject(func(name object.Name) {
		if commitOnly && name.Kind != object.KindCommit {
			return
		}
		b := &held.shelves[name.Kind].buckets[name.Checksum[0]]
		b.sums = append(b.sums, name.Checksum)
	})
	for kind := range held.shelves {
		held.shelves[kind].settle()
	}
	return held, err
}

// settle gives back what appending left over, numbers the objects, and makes
// room for the marks.
func (s *shelf) settle() {
	for i := range s.buckets {
		b := &s.buckets[i]
		slices.SortFunc(b.sums, compare)
		b.sums = slices.Clip(slices.Clone(b.sums))
		b.first = s.count
		s.count += len(b.sums)
	}
	s.needed = make([]uint64, (s.count+63)/64)
}

func compare(a, b object.Checksum) int { return bytes.Compare(a[:], b[:]) }

// Find is an object's number; false when it is not held here.
func (v *Inventory) Find(name object.Name) (n int, ok bool) {
	b := &v.shelves[name.Kind].buckets[name.Checksum[0]]
	i, ok := slices.BinarySearchFunc(b.sums, name.Checksum, compare)
	return b.first + i, ok
}

// Need marks an object that is held; one that isn't is nobody's business.
// First tells whether it was not marked before.
func (v *Inventory) Need(name object.Name) (n int, first, held bool) {
	n, ok := v.Find(name)
	shelf := &v.shelves[name.Kind]
	if !ok || shelf.marked(n) {
		return n, false, ok
	}
	shelf.needed[n/64] |= 1 << (n % 64)
	return n, true, true
}

// Needs reports whether an object is held and marked.
func (v *Inventory) Needs(name object.Name) bool {
	n, ok := v.Find(name)
	return ok && v.shelves[name.Kind].marked(n)
}

func (s *shelf) marked(n int) bool { return s.needed[n/64]&(1<<(n%64)) != 0 }

// Total is the number of objects.
func (v *Inventory) Total() (n int) {
	for kind := range v.shelves {
		n += v.shelves[kind].count
	}
	return n
}

// Len is the number of objects of a kind.
func (v *Inventory) Len(kind object.Kind) int { return v.shelves[kind].count }

// Bucket is the objects of a kind whose checksums begin with a byte, ascending,
// and the number of the first one. It is not to be changed.
func (v *Inventory) Bucket(kind object.Kind, begin byte) (first int, sums []object.Checksum) {
	b := &v.shelves[kind].buckets[begin]
	return b.first, b.sums
}

// Each visits the objects of one kind, in the order of their numbers, until
// visit fails.
func (v *Inventory) Each(kind object.Kind, visit func(n int, sum object.Checksum) error) error {
	for i := range v.shelves[kind].buckets {
		b := &v.shelves[kind].buckets[i]
		for k, sum := range b.sums {
			if err := visit(b.first+k, sum); err != nil {
				return err
			}
		}
	}
	return nil
}

// EachNeeded visits the objects of one kind that are marked, until visit says no.
func (v *Inventory) EachNeeded(kind object.Kind, visit func(object.Checksum) bool) {
	shelf := &v.shelves[kind]
	for i := range shelf.buckets {
		b := &shelf.buckets[i]
		for k, sum := range b.sums {
			if shelf.marked(b.first+k) && !visit(sum) {
				return
			}
		}
	}
}

// EachUnneeded visits the objects of one kind that are not marked, until visit fails.
func (v *Inventory) EachUnneeded(kind object.Kind, visit func(object.Name) error) error {
	return v.Each(kind, func(n int, sum object.Checksum) error {
		if v.shelves[kind].marked(n) {
			return nil
		}
		return visit(object.Name{Checksum: sum, Kind: kind})
	})
}
