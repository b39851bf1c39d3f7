package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

const (
	// deadline bounds every measurement, and every command in one.
	deadline = 5 * time.Minute
	// setUpTime bounds a command that makes something to measure.
	setUpTime = 30 * time.Minute
)

// run runs a command to its end and returns what it printed.
func run(ctx context.Context, args ...string) ([]byte, error) {
	var out bytes.Buffer
	err := runFor(ctx, deadline, &out, args...)
	return out.Bytes(), err
}

// setUp is run for commands that may take long.
func setUp(ctx context.Context, args ...string) ([]byte, error) {
	var out bytes.Buffer
	err := runFor(ctx, setUpTime, &out, args...)
	return out.Bytes(), err
}

// runFor runs a command for at most so long. What it prints goes to out; nil is /dev/null.
func runFor(ctx context.Context, limit time.Duration, out io.Writer, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = time.Second
	var errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &errOut
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if said := bytes.TrimSpace(errOut.Bytes()); len(said) > 0 {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, said)
	}
	return fmt.Errorf("%s: %w", strings.Join(args, " "), err)
}
