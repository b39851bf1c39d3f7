package compose

import (
	"runtime"
	"sync"
)

// crew is a fixed number of goroutines that take jobs.
type crew struct {
	jobs    chan func()
	members sync.WaitGroup
}

func newCrew() *crew {
	c := &crew{jobs: make(chan func(), 2*runtime.GOMAXPROCS(0))}
	for range runtime.GOMAXPROCS(0) {
		c.members.Go(func() {
			for job := range c.jobs {
				job()
			}
		})
	}
	return c
}

// leave ends the crew, when it has done its jobs.
func (c *crew) leave() {
	close(c.jobs)
	c.members.Wait()
}

// batch is how many numbers one job is for.
const batch = 16

// each has the crew call do with the numbers below n, and returns what waits until it
// has. It blocks while there is much else to do. Members must not call it.
func (c *crew) each(n int, do func(i int)) (wait func()) {
	done := new(sync.WaitGroup)
	for first := 0; first < n; first += batch {
		done.Add(1)
		c.jobs <- func() {
			defer done.Done()
			for i := first; i < min(first+batch, n); i++ {
				do(i)
			}
		}
	}
	return done.Wait
}
