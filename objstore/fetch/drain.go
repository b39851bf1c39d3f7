package fetch

import (
	"io"
	"time"
)

const (
	drainMost = 16 << 10 // bytes
	drainTime = time.Second
)

// drain reads what comes with an answer that is no file, if that is little and comes soon, so that the
// connection can be used again; and closes it. It returns the number of bytes.
func drain(body io.ReadCloser) int64 {
	late := time.AfterFunc(drainTime, func() { body.Close() })
	defer late.Stop()
	defer body.Close()
	n, _ := io.CopyN(io.Discard, body, drainMost)
	return n
}
