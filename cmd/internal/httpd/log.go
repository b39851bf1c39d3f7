package httpd

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Log has a line for what happens. A nil one has none.
type Log struct {
	mu sync.Mutex
	w  io.Writer
}

// NewLog makes a log that is written to w, a line in one call.
func NewLog(w io.Writer) *Log { return &Log{w: w} }

// Printf writes a line, with the time before it.
func (l *Log) Printf(format string, args ...any) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = fmt.Fprintf(l.w, "%s - %s\n", time.Now().Format("2006-01-02 15:04:05.000000"), fmt.Sprintf(format, args...))
}
