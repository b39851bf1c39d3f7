package mount

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
)

// Error is a failed operation: what was tried, on what, and why it failed.
// Remedy, where there is a true one, tells how to make it work; Error leaves it
// out, so that the command line can print it on a line of its own.
type Error struct {
	Op     string // "mount", "unmount", "overlay", ...
	Path   string // the directory or device concerned
	Err    error
	Remedy string
}

// Error returns the operation, the path and the reason, on one line.
func (e *Error) Error() string {
	return e.Op + " " + quote(e.Path) + ": " + e.Err.Error()
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// Hint returns the remedy, or "".
func (e *Error) Hint() string { return e.Remedy }

// Reasons that callers tell apart with errors.Is. Everything else is the
// errno of the system call.
var (
	ErrMounted    = errors.New("is mounted already")
	ErrNotMounted = errors.New("is not mounted")
	ErrNotEmpty   = errors.New("is not empty")
	ErrBusy       = errors.New("is in use")
	ErrServerGone = errors.New("is mounted already, and its fuse server has died")
	ErrBound      = errors.New("belongs to something else")
)

// quote returns path as it can stand on one line and be pasted into a shell.
func quote(path string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("/._-+:,=@%#~", r)
	}
	if path != "" && strings.IndexFunc(path, func(r rune) bool { return r == unicode.ReplacementChar || !plain(r) }) < 0 {
		return path
	}
	return strconv.Quote(path)
}
