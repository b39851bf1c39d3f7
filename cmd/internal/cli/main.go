package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Main runs the program with args, the first of which is its name, and returns the exit status.
// SIGINT, SIGTERM and SIGHUP cancel the verb's context; a second one ends the process at once.
func (p *Program) Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), ending()...)
	defer stop()
	context.AfterFunc(ctx, stop)
	return p.run(ctx, args[1:], os.Stdout, os.Stderr)
}

// ending is the signals that end a verb in good order. What nohup(1) and shells have
// ignored stays so.
func ending() []os.Signal {
	list := []os.Signal{syscall.SIGTERM}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGHUP} {
		if !signal.Ignored(sig) {
			list = append(list, sig)
		}
	}
	return list
}

// run is Main with the process taken out.
func (p *Program) run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && isCompletionRequest(args[0]) {
		return p.complete(args, stdout)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out := &output{Writer: bufio.NewWriter(stdout), to: stdout, left: func() { cancel(errPagerLeft) }}
	v, inv, err := p.dispatch(ctx, args, out, stderr)
	canceled := errors.Is(err, context.Canceled) && ctx.Err() != nil
	if closeErr := out.close(); err == nil || errors.Is(err, errPagerLeft) || canceled && context.Cause(ctx) == errPagerLeft {
		err, canceled = closeErr, false
	}
	if !p.Terse {
		inv.printNotes()
	}
	switch {
	case err == nil, errors.Is(err, errPagerLeft):
		return 0
	case canceled:
		return 130
	}
	return p.report(v, stderr, err)
}

// output is where a verb prints to: a buffer, behind which there may be a pager.
type output struct {
	*bufio.Writer
	to    io.Writer
	left  func()
	pager *pager
	shown *screen // nil when to is no terminal
}

// show makes what is printed visible, when it is for a terminal.
func (o *output) show(to io.Writer) {
	if isTerminal(o.to) {
		o.shown = &screen{to: to}
		o.Reset(o.shown)
	}
}

// page puts a pager behind the buffer when to is a terminal and the user wants one.
func (o *output) page() {
	tty, ok := o.to.(*os.File)
	if !ok || !isTerminal(tty) {
		return
	}
	if command := pagerCommand(); command != "" {
		o.pager = &pager{command: command, tty: tty, left: o.left}
		o.show(o.pager)
	}
}

// close writes what is in the buffer and waits for the pager.
func (o *output) close() error {
	err := o.Flush()
	if o.shown != nil && err == nil {
		err = o.shown.flush()
	}
	if err != nil {
		err = fmt.Errorf("writing output: %w", err)
	}
	if o.pager != nil {
		if pagerErr := o.pager.Close(); pagerErr != nil {
			err = pagerErr
		}
	}
	return err
}

// dispatch finds the verb and runs it; the verb is a group when there was none.
func (p *Program) dispatch(ctx context.Context, args []string, out *output, stderr io.Writer) (*Verb, *Invocation, error) {
	v, word, found, rest := p.lookup(args)
	if v.Verbs != nil {
		return v, new(Invocation), p.noVerb(v, word, found, rest, out.Writer, stderr)
	}
	inv := &Invocation{Program: p, Stdout: out.Writer, Stderr: stderr, colour: !p.Terse && mayColour(out.to)}
	if !v.Raw {
		out.show(out.to)
	}
	var version bool
	read, err := parse(p.options(v, inv, &version), v.Ours, v.Ends, rest)
	inv.Args, inv.Before, inv.Dashes, inv.Given = read.args, read.before, read.dashes, read.given
	if p.Terse { // as to ostree, it only ends the options
		inv.Before, inv.Dashes = len(read.args), false
	}
	switch {
	case err != nil:
	case version:
		_, err = out.WriteString(p.VersionText())
	default:
		if v.Pager && !inv.noPager && !p.Terse {
			out.page()
		}
		err = v.Run(ctx, inv)
	}
	if errors.Is(err, ErrHelp) {
		_, err = out.WriteString(p.help(v))
	}
	return v, inv, err
}

// printNotes prints what the verb had to say beside its output.
func (inv *Invocation) printNotes() {
	for _, line := range inv.notes {
		if isTerminal(inv.Stderr) {
			line = Visible(line)
		}
		fmt.Fprintln(inv.Stderr, line)
	}
}

// noVerb answers a command line whose word is none of a group's verbs.
func (p *Program) noVerb(group *Verb, word string, found bool, args []string, out *bufio.Writer, stderr io.Writer) error {
	var version bool
	_, err := parse(p.options(group, new(Invocation), &version), false, nil, args)
	switch {
	case errors.Is(err, ErrHelp):
		_, err = out.WriteString(p.help(group))
		return err
	case err == nil && version:
		_, err = out.WriteString(p.VersionText())
		return err
	case err == nil && found:
		err = Words("Unknown " + group.kind() + " '" + word + "'")
	case err == nil && !group.NoRepo:
		err = Words("No command specified")
	case err == nil:
		err = Words("No " + group.kind() + " specified")
	}
	fmt.Fprint(stderr, p.usage(group))
	return err
}
