package pull

import (
	"context"
	"errors"
	"io"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
)

// large is the number of bytes from which on metadata is held one object after the other, since
// the largest that is allowed times the number of requests is more than any memory. Nearly all
// directories are smaller.
const large = 512 << 10

// usual is the size of most metadata, in bytes.
const usual = 4 << 10

// turn is had by one at a time.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// take waits for the turn, which ends with free.
func (t turn) take(ctx context.Context) (free func(), err error) {
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// getLarge fetches a file that may be large. Meanwhile its beginning waits here, and the rest where
// it comes from.
func (f *far) getLarge(ctx context.Context, file fetch.File, limit int64) (data []byte, free func(), err error) {
	body, err := f.client.Open(ctx, file, limit)
	if err != nil {
		return nil, nil, err
	}
	defer body.Close()
	size := body.Size()
	first := int64(usual)
	if size >= 0 {
		first = min(size, large)
	}
	data, err = fill(make([]byte, 0, first+1), body, large)
	if err != nil || len(data) <= large {
		return data, nil, err
	}
	if free, err = f.turn.take(ctx); err != nil {
		return nil, nil, err
	}
	if size > int64(len(data)) && size <= limit {
		data = append(make([]byte, 0, size+1), data...)
	}
	data, err = fill(data, body, limit)
	return data, free, err
}

// fill reads on until there are more than n bytes, or all.
func fill(data []byte, from io.Reader, n int64) ([]byte, error) {
	for int64(len(data)) <= n {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		got, err := from.Read(data[len(data):cap(data)])
		data = data[:len(data)+got]
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return data, nil
}

// reread reads metadata that is here, as get fetches it.
func (f *far) reread(ctx context.Context, t *transaction.Transaction, name object.Name) (data []byte, free func(), err error) {
	data, err = t.ReadMetadata(name, large)
	if much := (*objstore.SizeError)(nil); !errors.As(err, &much) {
		return data, nil, err
	}
	if free, err = f.turn.take(ctx); err != nil {
		return nil, nil, err
	}
	data, err = t.ReadMetadata(name, objstore.MaxMetadata)
	return data, free, err
}
