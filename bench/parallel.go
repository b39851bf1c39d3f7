package main

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
)

// readers are the numbers of readers at once; the rows of one reader stand apart.
var readers = []int{2, 8}

// mostReaders is the largest number of readers.
const mostReaders = 8

// together runs n readers at once, each with its number and on a thread of its own, and waits for all.
func together(n int, read func(i int) error) error {
	if n == 1 {
		return read(0)
	}
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			debug.SetPanicOnFault(true)
			errs[i] = noFault(func() error { return read(i) })
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// readBy reads files by n readers, each of which takes every n-th.
func readBy(n int, files []file) func(context.Context, spot) error {
	shares := make([][]file, n)
	for i, f := range files {
		shares[i%n] = append(shares[i%n], f)
	}
	return func(_ context.Context, s spot) error {
		return together(n, func(i int) error { return readAll(s.dir, shares[i]) })
	}
}
