package cli

import (
	"context"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// TestSignals: each signal that asks to end cancels the verb, and the status is 130.
func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		p := &Program{Name: "p", Verbs: []Verb{{Name: "wait", Run: func(ctx context.Context, _ *Invocation) error {
			if err := syscall.Kill(syscall.Getpid(), sig); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Second):
			}
			return ctx.Err()
		}}}}
		if status := p.Main([]string{"p", "wait"}); status != 130 {
			t.Errorf("after %s the status is %d", sig, status)
		}
	}
}

// TestIgnoredSignals stay ignored.
func TestIgnoredSignals(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	for _, sig := range ending() {
		if sig == syscall.SIGHUP {
			t.Error("SIGHUP is taken although it is ignored")
		}
	}
	if len(ending()) != 2 {
		t.Errorf("taken: %v", ending())
	}
}
