package main

import (
	"bytes"
	"fmt"
	"testing"
	"time"
)

func TestDeltaMeter(t *testing.T) {
	var out bytes.Buffer
	m := startDeltaMeter(&out)
	log := "modified: 1\npart 1 n:2 compressed:3 uncompressed:4\npart 2 n:1 compressed:3 uncompressed:4\nbsdiff=0 objects\n"
	for line := range bytes.Lines([]byte(log)) {
		fmt.Fprintf(m, "%s", line)
	}
	if text, want := m.text(71500*time.Millisecond), "Generating: 1m11s, parts written: 2"; text != want {
		t.Errorf("%q, want %q", text, want)
	}
	m.progress.Stop("")
	if out.String() != log { // no terminal
		t.Errorf("%q, want %q", out.String(), log)
	}
}
