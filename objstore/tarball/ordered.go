package tarball

import "runtime"

// ordered does work side by side, and what follows from it one after the other,
// in the order in which it was given.
type ordered struct {
	waiting []chan func() error
}

// add starts work, which returns what is to be done in order. It first waits for
// the oldest one where there are enough already.
func (o *ordered) add(work func() func() error) error {
	var err error
	if len(o.waiting) >= 2*runtime.GOMAXPROCS(0)+2 {
		err = o.next()
	}
	done := make(chan func() error, 1)
	o.waiting = append(o.waiting, done)
	go func() { done <- work() }()
	return err
}

// next finishes the oldest work.
func (o *ordered) next() error {
	done := o.waiting[0]
	o.waiting = o.waiting[1:]
	return (<-done)()
}

// finish finishes all work. After an error, of its own or the one that is given,
// it only waits.
func (o *ordered) finish(err error) error {
	for len(o.waiting) > 0 && err == nil {
		err = o.next()
	}
	for _, done := range o.waiting {
		<-done
	}
	o.waiting = nil
	return err
}
