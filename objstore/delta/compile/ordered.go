package compile

import (
	"context"
	"sync"
)

// ordered does n jobs on some workers and hands their results to use, one after the other in the
// order of the jobs. No more than twice as many results as there are workers wait for that. It
// ends with the first error; drop is given the results that are not used then.
func ordered[T any](ctx context.Context, workers, n int, do func(context.Context, int) (T, error), use func(int, T) error, drop func(T)) error {
	type result struct {
		value T
		err   error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan chan result, workers)
	slots := make(chan struct{}, workers)
	go func() {
		defer close(results)
		for i := range n {
			slots <- struct{}{}
			if ctx.Err() != nil {
				return
			}
			one := make(chan result, 1)
			go func() {
				value, err := do(ctx, i)
				one <- result{value, err}
				<-slots
			}()
			results <- one
		}
	}()
	var first error
	i := 0
	for one := range results {
		r := <-one
		if first == nil {
			first = r.err
		}
		switch {
		case first == nil:
			first = use(i, r.value)
		case r.err == nil:
			drop(r.value)
		}
		if first != nil {
			cancel()
		}
		i++
	}
	if first == nil && i < n {
		return ctx.Err()
	}
	return first
}

// crew does jobs on some workers, in no order.
type crew struct {
	slots chan struct{}
	wait  sync.WaitGroup
	once  sync.Once
	err   error
}

func newCrew(workers int) *crew { return &crew{slots: make(chan struct{}, workers)} }

// do starts a job when there is a worker for it.
func (c *crew) do(job func() error) {
	c.slots <- struct{}{}
	c.wait.Go(func() {
		if err := job(); err != nil {
			c.once.Do(func() { c.err = err })
		}
		<-c.slots
	})
}

// finish waits for all jobs and returns the first error.
func (c *crew) finish() error {
	c.wait.Wait()
	return c.err
}
