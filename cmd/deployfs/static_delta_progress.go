package main

import (
	"bytes"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"deployfs/cmd/internal/cli"
)

// deltaMeter is the log of how a delta is made, with a line of progress below it on a terminal.
type deltaMeter struct {
	to       io.Writer
	progress *cli.Progress
	begin    time.Time
	parts    atomic.Int64 // that are written
}

func startDeltaMeter(to io.Writer) *deltaMeter {
	m := &deltaMeter{to: to, begin: time.Now()}
	m.progress = cli.StartProgress(to, func() string { return m.text(time.Since(m.begin)) })
	return m
}

// Write takes one line of the log.
func (m *deltaMeter) Write(line []byte) (n int, err error) {
	if bytes.HasPrefix(line, []byte("part ")) {
		m.parts.Add(1)
	}
	m.progress.Aside(func() { n, err = m.to.Write(line) })
	return n, err
}

// text is the line of progress.
func (m *deltaMeter) text(took time.Duration) string {
	return fmt.Sprintf("Generating: %s, parts written: %d", took.Truncate(time.Second), m.parts.Load())
}
