package fetch

import (
	"bytes"
	"io"
	"log"
	"sync"
)

// silence keeps net/http from telling, by way of the standard logger and thus the user's terminal,
// what a server sends that nobody asked for. The rest of what is logged there goes where it went.
var silence = sync.OnceFunc(func() { log.SetOutput(quieter{log.Writer()}) })

type quieter struct{ to io.Writer }

func (q quieter) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("Unsolicited response received on idle HTTP channel")) {
		return len(line), nil
	}
	return q.to.Write(line)
}
