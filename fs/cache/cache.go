// Package cache keeps decoded metadata objects in memory, within a budget of
// bytes. Objects never change, so nothing is ever out of date.
package cache

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/dgraph-io/ristretto/v2"

	"deployfs/objstore/flight"
	"deployfs/objstore/object"
)

const (
	// typicalCost is a guess at an object's bytes, from which the number of
	// objects is guessed; there are ten counters for each.
	typicalCost = 1 << 10
	minObjects  = 100
	maxObjects  = 1 << 20
)

// Cache maps checksums to decoded objects of one kind.
type Cache[V any] struct {
	items   *ristretto.Cache[uint64, item[V]]
	large   atomic.Pointer[item[V]] // the last that takes more than a part of the budget
	flights flight.Group[object.Checksum, V]
}

// item carries its whole checksum, as only 8 bytes of it are the key.
type item[V any] struct {
	sum   object.Checksum
	value V
}

// largePart is the part of the budget from which on an object is large. The last
// such one is held whatever it costs: who reads it in pieces would else have it
// loaded for each.
const largePart = 8

// New makes a cache of at most limit bytes, and one object that is larger.
func New[V any](limit int64) (*Cache[V], error) {
	items, err := ristretto.NewCache(&ristretto.Config[uint64, item[V]]{
		NumCounters:        10 * min(max(limit/typicalCost, minObjects), maxObjects),
		MaxCost:            limit,
		BufferItems:        64,
		IgnoreInternalCost: true,
	})
	if err != nil {
		return nil, fmt.Errorf("cache of %d bytes: %w", limit, err)
	}
	return &Cache[V]{items: items}, nil
}

// Get returns the object sum, loading it when it is not in the cache. Load also
// tells what the value costs, in bytes. Its errors are not kept.
func (c *Cache[V]) Get(sum object.Checksum, load func(object.Checksum) (V, int64, error)) (V, error) {
	key := binary.LittleEndian.Uint64(sum[:])
	if it, ok := c.items.Get(key); ok && it.sum == sum {
		return it.value, nil
	}
	if it := c.large.Load(); it != nil && it.sum == sum {
		return it.value, nil
	}
	return c.flights.Do(sum, func() (V, error) {
		value, cost, err := load(sum)
		if err == nil {
			c.items.Set(key, item[V]{sum, value}, cost)
		}
		if err == nil && cost > c.Limit()/largePart {
			c.large.Store(&item[V]{sum, value})
		}
		return value, err
	})
}

// Used is how many bytes the cached values cost.
func (c *Cache[V]) Used() int64 { return c.items.MaxCost() - c.items.RemainingCost() }

// Limit is how many bytes they may cost.
func (c *Cache[V]) Limit() int64 { return c.items.MaxCost() }

// Close ends the cache's goroutines.
func (c *Cache[V]) Close() { c.items.Close() }
