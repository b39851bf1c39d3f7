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
// SIGINT and SIGTERM cancel the verb's context; a second one ends the process at once.
func (p *Program) Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return p.run(ctx, args[1:], os.Stdout, os.Stderr)
}

// run is Main with the process taken out.
func (p *Program) run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out := bufio.NewWriter(stdout)
	if len(args) > 0 && isCompletionRequest(args[0]) {
		return p.complete(args, stdout)
	}
	v, err := p.dispatch(ctx, args, out, stderr)
	if flushErr := out.Flush(); err == nil && flushErr != nil {
		err = fmt.Errorf("writing output: %w", flushErr)
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return 130
	}
	return p.report(v, stderr, err)
}

// dispatch finds the verb and runs it; the verb is nil when there was none.
func (p *Program) dispatch(ctx context.Context, args []string, out *bufio.Writer, stderr io.Writer) (*Verb, error) {
	name, found, rest := splitVerb(args)
	v := p.verb(name)
	if v == nil {
		return nil, p.noVerb(name, found, rest, out, stderr)
	}
	inv := &Invocation{Program: p, Stdout: out, Stderr: stderr}
	var version bool
	words := parser{options: p.options(v, inv, &version), ends: v.Ends, args: rest}
	err := words.run()
	inv.Args, inv.Given, inv.Before = words.rest, words.given, words.before
	switch {
	case errors.Is(err, errHelp):
		_, err = out.WriteString(p.help(v))
	case err != nil:
	case version:
		_, err = out.WriteString(p.VersionText())
	default:
		err = v.Run(ctx, inv)
	}
	return v, err
}

// noVerb answers a command line without a verb that the program knows.
func (p *Program) noVerb(name string, found bool, args []string, out *bufio.Writer, stderr io.Writer) error {
	var version bool
	_, _, err := parse(p.global(new(Invocation), &version), args)
	switch {
	case errors.Is(err, errHelp):
		_, err = out.WriteString(p.programUsage())
		return err
	case err == nil && version:
		_, err = out.WriteString(p.VersionText())
		return err
	case err == nil && found:
		err = Words("Unknown command '" + name + "'")
	case err == nil:
		err = Words("No command specified")
	}
	fmt.Fprint(stderr, p.programUsage())
	return err
}
