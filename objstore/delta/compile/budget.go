package compile

import "sync"

// budget bounds what several goroutines take at the same time.
type budget struct {
	lock  sync.Mutex
	freed *sync.Cond
	all   int64
	free  int64
}

func newBudget(all int64) *budget {
	b := &budget{all: all, free: all}
	b.freed = sync.NewCond(&b.lock)
	return b
}

// acquire waits until so much is free, or all, and takes it. It returns what was taken.
func (b *budget) acquire(n int64) int64 {
	n = min(n, b.all)
	b.lock.Lock()
	defer b.lock.Unlock()
	for b.free < n {
		b.freed.Wait()
	}
	b.free -= n
	return n
}

// release gives back what was taken.
func (b *budget) release(n int64) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.free += n
	b.freed.Broadcast()
}
