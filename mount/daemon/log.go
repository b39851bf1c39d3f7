package daemon

import (
	"io"
	"log"
	"log/syslog"
	"os"
	"strconv"
)

// newLog is where a server writes what its users should know: the system's log,
// which the journal is too, or standard error in the foreground. Where there is
// no such log, `deployfs mounts` still counts errors.
func newLog(background bool) *log.Logger {
	if !background {
		return log.New(os.Stderr, "deployfs: ", 0)
	}
	w, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_WARNING, "deployfs")
	if err != nil {
		return log.New(io.Discard, "", 0)
	}
	return log.New(w, "", 0)
}

// Line is text as it can stand in a line of a log or a table: quoted when something
// in it would end the line, or worse.
func Line(text string) string {
	if quoted := strconv.Quote(text); quoted != `"`+text+`"` {
		return quoted
	}
	return text
}
