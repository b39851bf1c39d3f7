package main

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// measure asks once, for the seconds that it took and the requests that the server got meanwhile.
func (b *bench) measure(ctx context.Context, q question, s spot, c *cell) error {
	if q.before != nil {
		if err := q.before(ctx, s); err != nil {
			return err
		}
	}
	old, err := s.peer.status(ctx, s.dir)
	if err != nil {
		return err
	}
	took, err := clock(ctx, s, q.timed)
	if err != nil {
		return err
	}
	now, err := s.peer.status(ctx, s.dir)
	if err == nil && q.after != nil {
		err = q.after(ctx, s)
	}
	c.add(took, now, old)
	return err
}

// clock says how many seconds something takes. What takes longer than deadline loses its mount.
func clock(ctx context.Context, s spot, timed func(context.Context, spot) error) (took float64, err error) {
	runtime.GC()
	hang := time.AfterFunc(deadline, func() { unmountBelow(s.dir) })
	defer hang.Stop()
	start := time.Now()
	err = noFault(func() error { return timed(ctx, s) })
	return time.Since(start).Seconds(), err
}

// noFault makes an error of a mapped page that can't be read.
func noFault(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if fault, ok := r.(runtime.Error); ok {
				err = errors.New(fault.Error())
				return
			}
			panic(r)
		}
	}()
	return f()
}
