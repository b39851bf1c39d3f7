// Package flight collapses concurrent work on one key into one.
package flight

import (
	"errors"
	"sync"
)

// errPanic is what those who wait get when the work panics.
var errPanic = errors.New("the work panicked")

// Group runs a function once for all callers that ask for its key while it
// runs. The zero Group is ready for use.
type Group[K comparable, V any] struct {
	mu    sync.Mutex
	calls map[K]*call[V]
}

type call[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// Do returns what work returns. Callers with a key that is being worked on wait
// for that work and share its result. Work must not panic.
func (g *Group[K, V]) Do(key K, work func() (V, error)) (V, error) {
	g.mu.Lock()
	if c, ok := g.calls[key]; ok {
		g.mu.Unlock()
		<-c.done
		return c.value, c.err
	}
	if g.calls == nil {
		g.calls = map[K]*call[V]{}
	}
	c := &call[V]{done: make(chan struct{}), err: errPanic}
	g.calls[key] = c
	g.mu.Unlock()

	defer g.end(key, c)
	c.value, c.err = work()
	return c.value, c.err
}

func (g *Group[K, V]) end(key K, c *call[V]) {
	g.mu.Lock()
	delete(g.calls, key)
	g.mu.Unlock()
	close(c.done)
}
