package fetch

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// Body is a file that comes. It is for one reader.
type Body struct {
	client  *Client
	ctx     context.Context
	file    File
	limit   int64
	mirrors *mirrors
	slot    bool // it counts as in flight

	from      *base // that it comes from
	body      io.ReadCloser
	size      int64
	total     int64
	state     Validators
	unchanged bool
	watch     *watch

	offset int64 // read so far
	left   int   // retries
	rounds int   // of them since something came
	gained int64 // bytes since the last retry
	err    error // what all further Reads say
}

// changedError says that a server has another file now than the one whose beginning was read before
// the transfer broke off.
type changedError struct{ broke error }

func (e *changedError) Error() string {
	return e.broke.Error() + "; the file on the server is another one now"
}

func (e *changedError) Unwrap() error { return e.broke }

var errOtherFile = errors.New("another file")

// enough is the number of bytes after which a transfer that breaks off has made progress, so that its
// retries count from the beginning again.
const enough = 64 << 10

// Size is the length of the file as the server claims it, -1 when it does not say.
func (b *Body) Size() int64 { return b.size }

// Read reads on. A connection that breaks is replaced by one that goes on where it broke.
func (b *Body) Read(p []byte) (int, error) {
	for b.err == nil {
		n, err := b.read(p)
		if err == nil || err == io.EOF {
			b.err = b.check(err)
			return n, b.err
		}
		if b.err = b.resume(err); n > 0 {
			return n, b.err
		}
	}
	return 0, b.err
}

// read reads once, from the connection there is.
func (b *Body) read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b.watch.start()
	n, err := b.body.Read(p)
	b.watch.stop(n)
	b.offset += int64(n)
	b.gained += int64(n)
	b.client.moved.Add(int64(n))
	if err == io.EOF && b.offset < b.size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		err = b.from.explain(b.watch.cause(err), b.file.Path)
	}
	return n, err
}

// check holds the file to its limit, and lets go of the connection at its end.
func (b *Body) check(err error) error {
	if b.limit > 0 && b.offset > b.limit {
		err = &SizeError{URL: b.from.url(b.file.Path), Limit: b.limit}
	}
	if err != nil {
		b.release()
	}
	return err
}

// resume opens the file where it broke off.
func (b *Body) resume(broke error) error {
	b.drop()
	if b.gained >= enough {
		b.left, b.rounds = b.client.retries, 0
	}
	b.gained = 0
	if !passes(broke) || b.left == 0 {
		b.release()
		return broke
	}
	b.left--
	if err := b.client.pause(b.ctx, b.rounds); err != nil {
		b.release()
		return err
	}
	b.rounds++
	r := request{path: b.file.Path, limit: b.limit, content: b.file.Content, offset: b.offset, state: b.state, from: b.from}
	err := b.connect(r)
	if err == errOtherFile {
		err = &changedError{broke}
	}
	if err != nil {
		b.release()
	}
	return err
}

// connect asks for a file, of all mirrors and again, until one gives it.
func (b *Body) connect(r request) error {
	for {
		b.drop()
		got, from, again, err := b.mirrors.ask(b.ctx, r)
		if err == nil {
			err = b.accept(got, from)
			again = passes(err)
		}
		if err == nil {
			return nil
		}
		if status := (*StatusError)(nil); r.from != nil && errors.As(err, &status) && status.Status == http.StatusRequestedRangeNotSatisfiable {
			r.from, r.offset = nil, 0 // all of it, then
			continue
		}
		if !again || b.left == 0 {
			return err
		}
		b.left--
		if err := b.client.pause(b.ctx, b.rounds); err != nil {
			return err
		}
		b.rounds++
	}
}

// accept takes an answer as the rest of the file.
func (b *Body) accept(got *reply, from *base) error {
	skip := b.offset - got.offset
	if skip > 0 && !b.file.Content && (from != b.from || got.state != b.state || got.state.empty()) {
		got.close()
		return errOtherFile
	}
	b.take(got, from)
	b.offset = got.offset
	return b.skip(skip)
}

// skip reads over what was read before. What it leaves undone after an error is read again.
func (b *Body) skip(n int64) (err error) {
	want := b.offset + n
	defer func() { b.offset, b.gained = want, 0 }()
	buffer := make([]byte, 32<<10)
	for n > 0 {
		got, err := b.read(buffer[:min(n, int64(len(buffer)))])
		n -= int64(got)
		switch {
		case err == io.EOF && n > 0:
			return errOtherFile
		case err != nil && err != io.EOF:
			return err
		}
	}
	return nil
}

// take makes an answer the one that is read from.
func (b *Body) take(got *reply, from *base) {
	b.from, b.body, b.size, b.total, b.state, b.unchanged = from, got.body, got.size, got.total, got.state, got.unchanged
	b.watch = newWatch(b.client.stall, b.client.slowest, got.cancel)
}

// drop closes the connection, unless the file was read to its end.
func (b *Body) drop() {
	if b.body != nil {
		b.body.Close()
		b.watch.end()
		b.body = nil
	}
}

// release drops the connection and lets another request go.
func (b *Body) release() {
	b.drop()
	if b.slot {
		<-b.client.slots
		b.slot = false
	}
}

// Close ends the transfer.
func (b *Body) Close() error {
	b.release()
	if b.err == nil {
		b.err = errors.New("fetch: read of a closed body")
	}
	return nil
}
