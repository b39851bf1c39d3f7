package prune

import (
	"bytes"
	"slices"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// inventory is what a repository held when it was listed, by kind, and which of
// it is needed.
type inventory [object.KindPayloadLink + 1]shelf

// shelf is the objects of one kind, in buckets by their first byte.
type shelf struct {
	buckets [256]bucket
	count   int
}

// bucket has sums in ascending order, and a bit for each that is needed.
type bucket struct {
	sums   []object.Checksum
	needed []uint64
}

// takeInventory lists a repository, or only its commits.
func takeInventory(repo *objstore.Repo, commitOnly bool) (*inventory, error) {
	held := new(inventory)
	err := repo.EachObject(func(name object.Name) {
		if commitOnly && name.Kind != object.KindCommit {
			return
		}
		b := &held[name.Kind].buckets[name.Checksum[0]]
		b.sums = append(b.sums, name.Checksum)
		held[name.Kind].count++
	})
	for kind := range held {
		for i := range held[kind].buckets {
			held[kind].buckets[i].settle()
		}
	}
	return held, err
}

// settle gives back what appending left over, and makes room for the marks.
func (b *bucket) settle() {
	slices.SortFunc(b.sums, compare)
	b.sums = slices.Clip(slices.Clone(b.sums))
	b.needed = make([]uint64, (len(b.sums)+63)/64)
}

func compare(a, b object.Checksum) int { return bytes.Compare(a[:], b[:]) }

// find is an object's bucket and place; false when it is not held here.
func (v *inventory) find(name object.Name) (*bucket, int, bool) {
	b := &v[name.Kind].buckets[name.Checksum[0]]
	i, ok := slices.BinarySearchFunc(b.sums, name.Checksum, compare)
	return b, i, ok
}

// need marks an object that is held; one that isn't is nobody's business.
// First tells whether it was not marked before.
func (v *inventory) need(name object.Name) (first, held bool) {
	b, i, ok := v.find(name)
	if !ok || b.marked(i) {
		return false, ok
	}
	b.needed[i/64] |= 1 << (i % 64)
	return true, true
}

// needs reports whether an object is held and marked.
func (v *inventory) needs(name object.Name) bool {
	b, i, ok := v.find(name)
	return ok && b.marked(i)
}

func (b *bucket) marked(i int) bool { return b.needed[i/64]&(1<<(i%64)) != 0 }

// total is the number of objects.
func (v *inventory) total() (n int) {
	for kind := range v {
		n += v[kind].count
	}
	return n
}

// eachUnneeded visits the objects of one kind that are not marked, until visit fails.
func (v *inventory) eachUnneeded(kind object.Kind, visit func(object.Name) error) error {
	for i := range v[kind].buckets {
		b := &v[kind].buckets[i]
		for k, sum := range b.sums {
			if b.marked(k) {
				continue
			}
			if err := visit(object.Name{Checksum: sum, Kind: kind}); err != nil {
				return err
			}
		}
	}
	return nil
}
