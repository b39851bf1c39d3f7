package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
)

// reporter is a program that tells of commits. It makes no tree usable: what is related to it is
// another such program, and its requests are the objects that it opens.
type reporter struct {
	name, label string
	path        string                             // of the program
	make        func(context.Context, *tree) error // what it is to tell of
	args        func(*tree) []string
	tree        *tree  // that was prepared last
	opened      uint64 // objects, in all runs that were watched
}

var _ peer = (*reporter)(nil)

func (r *reporter) column() string  { return r.name }
func (r *reporter) variant() string { return r.label }
func (r *reporter) absent() string  { return "" }

func (r *reporter) prepare(ctx context.Context, t *tree) error {
	r.tree = t
	return r.make(ctx, t)
}

func (r *reporter) place(context.Context, *tree, string) error { return nil }
func (r *reporter) renew(context.Context, *tree, string) error { return nil }
func (r *reporter) remove(context.Context, string) error       { return nil }

func (r *reporter) command(t *tree) []string { return append([]string{r.path}, r.args(t)...) }

// report runs the program once.
func report(ctx context.Context, s spot) error {
	return runFor(ctx, deadline, nil, s.peer.(*reporter).command(s.tree)...)
}

// objectOpened is a line of strace about an object that was opened.
var objectOpened = regexp.MustCompile(`(?m)^.*openat2?\([^"]*"[^"]*[0-9a-f]{2}/[0-9a-f]{62}\.[a-z]+".* = [0-9]+$`)

// status watches one more run, beside those that are measured: it counts the objects that are opened.
// Without strace nobody can tell.
func (r *reporter) status(ctx context.Context, _ string) (status, error) {
	if _, err := exec.LookPath("strace"); err != nil {
		return status{}, nil
	}
	var trace bytes.Buffer
	log, err := os.CreateTemp("", "bench-report-")
	if err != nil {
		return status{}, err
	}
	defer os.Remove(log.Name())
	defer log.Close()
	command := append([]string{"strace", "-f", "-qq", "-e", "trace=openat,openat2", "-o", log.Name()}, r.command(r.tree)...)
	if err := runFor(ctx, deadline, nil, command...); err != nil {
		return status{}, err
	}
	if _, err := trace.ReadFrom(log); err != nil {
		return status{}, err
	}
	r.opened += uint64(len(objectOpened.FindAll(trace.Bytes(), -1)))
	return status{PID: os.Getpid(), Requests: r.opened}, nil
}
