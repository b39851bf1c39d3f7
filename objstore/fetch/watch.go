package fetch

import (
	"context"
	"errors"
	"time"
)

// slowRate is the number of bytes a second below which a transfer counts as stalled.
const slowRate = 1000

var errStalled = errors.New("the server sends nothing, or too slowly")

// watch ends a transfer whose server is slow. Only the time in which bytes are waited for counts, so
// a slow reader is no fault of the server.
type watch struct {
	patience time.Duration
	slowest  int64 // bytes a second
	cancel   context.CancelCauseFunc
	timer    *time.Timer
	began    time.Time
	waited   time.Duration // since the last time enough had come
	came     int64
	stalled  bool // patience has ended
}

func newWatch(patience time.Duration, slowest int64, cancel context.CancelCauseFunc) *watch {
	w := &watch{patience: patience, slowest: slowest, cancel: cancel}
	if cancel != nil {
		w.timer = time.AfterFunc(patience, func() { cancel(errStalled) })
		w.timer.Stop()
	}
	return w
}

func (w *watch) start() {
	if w.timer != nil {
		w.began = time.Now()
		w.timer.Reset(w.patience - w.waited)
	}
}

func (w *watch) stop(n int) {
	if w.timer == nil {
		return
	}
	w.stalled = w.stalled || !w.timer.Stop()
	w.waited += time.Since(w.began)
	w.came += int64(n)
	if float64(w.came) >= float64(w.slowest)*w.patience.Seconds() {
		w.waited, w.came = 0, 0
	}
}

// cause is why a read failed.
func (w *watch) cause(err error) error {
	if w.stalled {
		return errStalled
	}
	return err
}

func (w *watch) end() {
	if w.timer != nil {
		w.timer.Stop()
		w.cancel(nil)
	}
}
