package index

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// batch is how many pieces of work a thread takes at once.
const batch = 16

// parallel does work for every i below n, on as many threads as there are
// processors, until it is done or ctx ends.
func parallel(ctx context.Context, n int, work func(i int)) error {
	var taken atomic.Int64
	var threads sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (n+batch-1)/batch) {
		threads.Go(func() {
			for ctx.Err() == nil {
				end := int(taken.Add(batch))
				if end-batch >= n {
					return
				}
				for i := end - batch; i < min(end, n) && ctx.Err() == nil; i++ {
					work(i)
				}
			}
		})
	}
	threads.Wait()
	return ctx.Err()
}
