package lazy

import (
	"context"
	"io"
	"time"

	"deployfs/objstore/fetch"
)

// arriving is a file that comes from the server. It ends with errSilent when the server lets
// who reads it wait for too long.
type arriving struct {
	body     *fetch.Body
	ctx      context.Context
	cancel   context.CancelCauseFunc
	end      *time.Timer // runs while the server is waited for
	patience time.Duration
	err      error // of the server
}

// open opens a file on the server; with limit 0, of any size.
func (s *Source) open(f fetch.File, limit int64) (*arriving, error) {
	a := &arriving{patience: s.opts.Timeout}
	a.ctx, a.cancel = context.WithCancelCause(s.ctx)
	a.end = time.AfterFunc(a.patience, func() { a.cancel(errSilent) })
	defer a.end.Stop()
	body, err := s.client.Open(a.ctx, f, limit)
	if err != nil {
		defer a.cancel(nil)
		return nil, a.because(err)
	}
	a.body = body
	return a, nil
}

// Size is the length of the file as the server claims it, -1 when it does not say.
func (a *arriving) Size() int64 { return a.body.Size() }

func (a *arriving) Read(p []byte) (int, error) {
	a.end.Reset(a.patience)
	n, err := a.body.Read(p)
	a.end.Stop()
	if err != nil && err != io.EOF {
		a.err = a.because(err)
		err = a.err
	}
	return n, err
}

// because is why something failed: that the server was silent, if it was.
func (a *arriving) because(err error) error {
	if context.Cause(a.ctx) == errSilent {
		return errSilent
	}
	return err
}

// Close ends the transfer.
func (a *arriving) Close() {
	a.cancel(nil)
	a.body.Close()
}
