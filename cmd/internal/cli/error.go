package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
)

// UsageError is wrong use of a verb. For verbs that ostree has, the verb's help precedes it.
type UsageError struct {
	Text  string
	brief bool // without the help
}

func (e *UsageError) Error() string { return e.Text }

// Words is an error in ostree's own wording, which scripts match: it may begin with a capital.
type Words string

func (w Words) Error() string { return string(w) }

// ErrNoRepo is returned by a verb that was given no repository and found none.
const ErrNoRepo = Words("Command requires a --repo argument")

// ErrHelp asks for the help text of the verb, which is then printed: that is no failure.
var ErrHelp = errors.New("help requested")

// hinter is an error that knows what the user can do about it.
type hinter interface{ Hint() string }

// report prints err and returns the exit status that it means.
func (p *Program) report(v *Verb, w io.Writer, err error) int {
	ours := v.Ours
	var wrong *UsageError
	isUsage := errors.As(err, &wrong)
	switch {
	case isUsage && !ours && !wrong.brief:
		fmt.Fprintln(w, p.usage(v))
	case errors.Is(err, ErrNoRepo) && !ours:
		fmt.Fprint(w, p.usage(v))
	}
	text := func(s string) string { return s }
	if isTerminal(w) {
		text = Visible
	}
	fmt.Fprintf(w, "%s %s\n", errorPrefix(w), text(message(err, ours)))
	if h := hinter(nil); errors.As(err, &h) && p.mayHint(h.Hint()) {
		fmt.Fprintf(w, "hint: %s\n", text(p.named(h.Hint())))
	}
	if errors.Is(err, ErrNoRepo) && ours {
		fmt.Fprintln(w, "hint: --repo=PATH says where it is, or OSTREE_REPO in the environment")
	}
	if isUsage && ours {
		fmt.Fprintln(w, "hint: usage: "+strings.TrimSpace(p.Name+" "+v.Name+" [OPTION…] "+v.Args))
		return 2
	}
	return 1
}

// mayHint reports whether a hint helps: one that names a program of ours is none to
// whoever calls it by another name.
func (p *Program) mayHint(text string) bool {
	return text != "" && !(p.Terse && strings.Contains(text, "deployfs"))
}

// named has the commands of ostree that a hint tells be those of the program that prints it.
func (p *Program) named(hint string) string {
	return strings.ReplaceAll(hint, "`ostree ", "`"+p.Name+" ")
}

// message is what an error says. What ostree's verbs say of a system call that failed ends with the C
// library's text, which is Go's with a capital.
func message(err error, ours bool) string {
	text, errno := err.Error(), syscall.Errno(0)
	if ours || !errors.As(err, &errno) {
		return text
	}
	front, isLast := strings.CutSuffix(text, errno.Error())
	if !isLast || front != "" && !strings.HasSuffix(front, ": ") {
		return text
	}
	return front + strings.ToUpper(text[len(front):len(front)+1]) + text[len(front)+1:]
}

// errorPrefix is red where there are colours.
func errorPrefix(w io.Writer) string {
	if mayColour(w) {
		return "\x1b[1;31merror:\x1b[0m"
	}
	return "error:"
}
