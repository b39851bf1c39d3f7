package main

import (
	"strings"
	"testing"
)

func TestSample(t *testing.T) {
	for _, test := range []struct {
		s                 sample
		median, low, high float64
	}{
		{nil, 0, 0, 0}, {sample{3}, 3, 3, 3}, {sample{9, 1, 5}, 5, 1, 9}, {sample{4, 1, 2, 3}, 2.5, 1, 4},
	} {
		low, high := test.s.spread()
		if m := test.s.median(); m != test.median || low != test.low || high != test.high {
			t.Errorf("%v: median %v (%v-%v), want %v (%v-%v)", test.s, m, low, high, test.median, test.low, test.high)
		}
	}
}

func TestDigits(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 0.00651: "0.0065", 0.12: "0.12", 0.996: "1.00", 1.5: "1.50", 12.34: "12.3", 123.4: "123", 5432: "5432",
	} {
		if got := digits(x); got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	b := &bench{options: options{rounds: 3}, rows: []row{{
		ID: "walk warm", Tree: "5k", Title: "walk", Unit: seconds, Cells: []cell{
			{Peer: subject, Variant: "default", Setting: "cached, index", Values: sample{1, 2, 3}, Requests: sample{7, 7, 7}},
			{Peer: subject, Variant: "no index", Absent: "this deployfs has no --no-index"},
			{Peer: native, Values: sample{4, 4, 4}},
			{Peer: erofs, Failed: "it is broken"},
			{Peer: fusefs, Values: sample{40}},
		},
	}}}
	lines := strings.Split(strings.TrimSpace(b.table()), "\n")
	if len(lines) != 4 {
		t.Fatalf("%q", lines)
	}
	for i, want := range []string{
		2: "| walk | default (cached, index) | 2000 (1000-3000) ms | 4000 (4000-4000) ms | 0.50 | 7 | failed |  | 10.0: 40.0 s, 1× |",
		3: "|  | no index | absent |  |  |  |  |  |  |",
	} {
		if want != "" && lines[i] != want {
			t.Errorf("line %d:\n%s, want\n%s", i, lines[i], want)
		}
	}
	if columns := strings.Count(lines[0], "|"); columns != strings.Count(lines[1], "|") || columns != strings.Count(lines[2], "|") {
		t.Errorf("not one number of columns: %q", lines[:3])
	}
	if got := b.disturbances(); len(got) != 0 {
		t.Errorf("%q", got)
	}
	b.rows[0].Disturbed = 2
	if got := b.disturbances(); len(got) != 1 || !strings.HasPrefix(got[0], "walk: ") {
		t.Errorf("%q", got)
	}
	if got := b.absences(); len(got) != 1 || got[0] != "deployfs (no index) is absent: this deployfs has no --no-index." {
		t.Errorf("%q", got)
	}
}

func TestMemoryText(t *testing.T) {
	b := &bench{options: options{rounds: 1}}
	c := cell{Values: sample{20e6}, Anonymous: sample{12e6}, Files: sample{7e6}, Shared: sample{1e6}}
	if got, want := b.text(&row{Unit: octets}, &c), "20.0 MB: 12.0 own, 7.00 of files, 1.00 shared"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestScaling(t *testing.T) {
	answers := func(ours, theirs float64) []cell {
		return []cell{{Peer: subject, Variant: "default", Values: sample{ours}}, {Peer: native, Values: sample{theirs}}}
	}
	b := &bench{rows: []row{
		{ID: "small warm", Title: "small files", Cells: answers(8, 6)}, {ID: "small warm 2", Cells: answers(4, 2)}, {ID: "walk warm", Cells: answers(1, 1)},
	}}
	got := b.scaling()
	if want := "small files, default: 2 readers 2.00 (checkout 3.00) times as fast as one."; len(got) != 1 || got[0] != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestBetween(t *testing.T) {
	text, err := between("a\n"+beginMark+"\nold\n"+endMark+"\nb\n", "\nnew\n\n")
	if want := "a\n" + beginMark + "\nnew\n" + endMark + "\nb\n"; err != nil || text != want {
		t.Errorf("%q, %v, want %q", text, err, want)
	}
	for _, bad := range []string{"", beginMark, endMark + beginMark} {
		if _, err := between(bad, "new"); err == nil {
			t.Errorf("no error about %q", bad)
		}
	}
}
