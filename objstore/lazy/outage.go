package lazy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"deployfs/objstore/fetch"
	"deployfs/objstore/object"
)

// errSilent ends what waits for a server for too long.
var errSilent = errors.New("the server does not answer in time")

// askAgain is how often a server is asked whether it is back.
const askAgain = time.Second

// OutageError says that something could not be fetched because the server does not answer.
type OutageError struct {
	URL string
	Err error
}

func (e *OutageError) Error() string { return fmt.Sprintf("%s does not answer: %v", e.URL, e.Err) }

func (e *OutageError) Unwrap() error { return e.Err }

// Outage marks the error as one of which only its beginning and its end are worth a report.
func (e *OutageError) Outage() {}

// link is the connection to a server, as far as it is known to work.
type link struct {
	url      string
	tell     func(error)
	patience time.Duration

	mu    sync.Mutex
	why   error     // the server does not answer; nil when it does
	again time.Time // when it may be asked
}

func (l *link) down() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why != nil
}

// try does what needs the server, unless that was found not to answer a moment ago.
func (l *link) try(work func() error) error {
	if err := l.refused(); err != nil {
		return err
	}
	err := work()
	switch {
	case errors.Is(err, context.Canceled) && !errors.Is(err, errSilent):
		return err
	case isOutage(err):
		l.set(err)
		return &OutageError{l.url, err}
	case !isLocal(err):
		l.set(nil)
	}
	return err
}

// refused lets one caller in after a pause, to ask whether the server is back.
func (l *link) refused() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why == nil {
		return nil
	}
	if time.Now().Before(l.again) {
		return &OutageError{l.url, l.why}
	}
	l.again = time.Now().Add(l.patience)
	return nil
}

func (l *link) set(why error) {
	l.mu.Lock()
	was := l.why
	l.why, l.again = why, time.Now().Add(askAgain)
	l.mu.Unlock()
	if (was == nil) == (why == nil) || l.tell == nil {
		return
	}
	if why != nil {
		why = &OutageError{l.url, why}
	}
	l.tell(why)
}

// isOutage tells a server that does not answer from one that has not what is asked for, or
// has it damaged.
func isOutage(err error) bool {
	var status *fetch.StatusError
	var transfer *fetch.TransferError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false
	case errors.As(err, &status):
		return status.Status >= http.StatusInternalServerError || status.Status == http.StatusTooManyRequests
	case errors.As(err, &transfer):
		return true
	}
	return errors.Is(err, errSilent)
}

// isLocal reports whether an error says nothing about the server.
func isLocal(err error) bool {
	var damaged *object.CorruptError
	var status *fetch.StatusError
	var large *fetch.SizeError
	return err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.As(err, &damaged) && !errors.As(err, &status) && !errors.As(err, &large)
}
