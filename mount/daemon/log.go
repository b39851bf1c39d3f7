package daemon

import (
	"fmt"
	"io"
	"log"
	"log/syslog"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"deployfs/fs"
)

// event is what a line of the log says. In the foreground and in the background
// it is the same, KEY=VALUE with a blank between two, in the order of the fields;
// what is empty is left out. A value is quoted as in Go where it has a blank, a
// quote, or something that does not belong in a line.
type event struct {
	level  string // levelError or one of the others
	mount  string // mountpoint
	path   string // below it
	object string // CHECKSUM.KIND
	reason string
}

const (
	levelError   = "error"   // somebody got one
	levelWarning = "warning" // something works less well than it could
	levelInfo    = "info"
)

// failure is the event of an entry that can't be shown.
func failure(mount, path string, err error) event {
	return event{levelError, mount, path, fs.ObjectOf(err), err.Error()}
}

func (e event) String() string {
	var b strings.Builder
	for _, f := range []struct{ key, value string }{
		{"level", e.level}, {"mount", e.mount}, {"path", e.path}, {"object", e.object}, {"reason", e.reason},
	} {
		if f.value != "" {
			fmt.Fprintf(&b, " %s=%s", f.key, logValue(f.value))
		}
	}
	return strings.TrimPrefix(b.String(), " ")
}

// logValue is text as a value of a line of the log.
func logValue(text string) string {
	if quoted := strconv.Quote(text); quoted != `"`+text+`"` || strings.ContainsAny(text, " =") {
		return quoted
	}
	return text
}

// logs are where a keeper writes what users should know: standard error in the
// foreground, else the system's log, which the journal is too. Where there is no
// such log, `deployfs mounts` still counts errors.
type logs struct {
	open sync.Once
	to   *log.Logger
}

// Event logs something about a mount.
func (l *logs) Event(foreground bool, mountpoint, reason string) {
	l.Line(foreground, event{level: levelWarning, mount: mountpoint, reason: reason}.String())
}

// Line logs what a server has said.
func (l *logs) Line(foreground bool, line string) {
	line = strings.ReplaceAll(line, "\n", " ")
	l.open.Do(func() { l.to = newLog(foreground) })
	l.to.Print(line)
}

func newLog(foreground bool) *log.Logger {
	if foreground {
		return log.New(&eventWriter{stderr}, "", 0)
	}
	w, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_WARNING, "deployfs")
	if err != nil {
		return log.New(io.Discard, "", 0)
	}
	system := map[string]func(string) error{levelError: w.Err, levelWarning: w.Warning, levelInfo: w.Info}
	return log.New(&eventWriter{func(level, line string) error { return system[level](line) }}, "", 0)
}

// eventWriter takes lines, each in one piece. One that is no event, as libraries
// write it, becomes a warning with that reason.
type eventWriter struct {
	put func(level, line string) error
}

func (w *eventWriter) Write(p []byte) (int, error) {
	line := strings.TrimSuffix(string(p), "\n")
	for _, level := range []string{levelError, levelWarning, levelInfo} {
		if strings.HasPrefix(line, "level="+level+" ") {
			return len(p), w.put(level, line)
		}
	}
	return len(p), w.put(levelWarning, event{level: levelWarning, reason: line}.String())
}

// stderr writes a line to standard error, with the level in front where the
// journal reads it: see sd-daemon(3).
func stderr(level, line string) error {
	if journal() {
		line = map[string]string{levelError: "<3>", levelWarning: "<4>", levelInfo: "<6>"}[level] + line
	}
	_, err := fmt.Fprintln(os.Stderr, line)
	return err
}

// journal reports whether standard error is the journal's.
func journal() bool {
	var st syscall.Stat_t
	if err := syscall.Fstat(int(os.Stderr.Fd()), &st); err != nil {
		return false
	}
	return os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", st.Dev, st.Ino)
}

// Line is text as it can stand in a line of a log or a table: quoted when something
// in it would end the line, or worse.
func Line(text string) string {
	if quoted := strconv.Quote(text); quoted != `"`+text+`"` {
		return quoted
	}
	return text
}
