package verify

import (
	"context"
	"io"
	"runtime"
	"sync"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// Contents holds content objects. Its method is called at the same time.
type Contents interface {
	Content(sum object.Checksum) (*objstore.Content, error)
}

// Next names a content object that is to be checked, and who is told how that
// ended; false when there is none left. Both functions are called at the same time.
type Next func() (sum object.Checksum, done func(error), ok bool)

// All checks content objects on all processors, until there are no more or ctx
// ends. Nobody is told of those that ctx cut off.
func All(ctx context.Context, src Contents, count *Count, next Next) {
	var threads sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		threads.Go(func() {
			buf := make([]byte, readSize)
			for sum, done, ok := next(); ok && ctx.Err() == nil; sum, done, ok = next() {
				if err := content(ctx, src, sum, count, buf); ctx.Err() == nil {
					done(err)
				}
			}
		})
	}
	threads.Wait()
}

// content checks one content object.
func content(ctx context.Context, src Contents, sum object.Checksum, count *Count, buf []byte) error {
	content, err := src.Content(sum)
	if err != nil {
		return err
	}
	defer content.Close() // it was only read
	for ctx.Err() == nil {
		n, err := content.Read(buf)
		count.Bytes.Add(int64(n))
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
