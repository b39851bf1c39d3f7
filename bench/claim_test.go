package main

import (
	"strings"
	"testing"
)

// madeUp is a run over two trees with rows that hold every goal that they have figures for.
func madeUp() *bench {
	planned := func(name string, entries int) *forest { return &forest{name: name, counts: counts{entries: entries}} }
	trees := []*tree{{forest: planned("5k", 5000)}, {forest: planned("50k", 50000)}, {forest: planned("500k", 500000), huge: true}}
	b := &bench{trees: trees, main: trees[1]}
	for _, t := range trees {
		link := map[string]float64{"5k": 0.06, "50k": 0.7, "500k": 7}[t.name]
		b.rows = append(b.rows,
			row{ID: "usable", Tree: t.name, Title: "mount " + t.name, Unit: seconds, Cells: []cell{
				{Peer: subject, Variant: "default", Values: sample{0.008}}, {Peer: subject, Variant: "no index", Values: sample{0.009}},
				{Peer: native, Values: sample{link}}, {Peer: fusefs, Values: sample{0.010}},
			}},
			row{ID: "index", Tree: t.name, Title: "index of " + t.name, Unit: seconds, Cells: []cell{
				{Peer: subject, Variant: "deployfs index", Values: sample{link / 4}}, {Peer: native, Values: sample{link}},
			}},
		)
	}
	b.rows = append(b.rows,
		row{ID: "walk warm", Tree: "50k", Title: "walk", Unit: seconds, Cells: []cell{
			{Peer: subject, Variant: "default", Values: sample{1}, Requests: sample{0}}, {Peer: native, Values: sample{1}}, {Peer: fusefs, Values: sample{20}},
		}},
		row{ID: "exec", Tree: "50k", Title: "exec", Unit: seconds, Cells: []cell{
			{Peer: subject, Variant: "default", Values: sample{1}, Requests: sample{0}}, {Peer: native, Values: sample{1}},
		}},
		row{ID: "memory after a walk", Tree: "500k", Title: "memory", Unit: octets, Cells: []cell{
			{Peer: subject, Variant: "default", Values: sample{60 << 20}},
		}},
	)
	return b
}

func TestClaimsHold(t *testing.T) {
	b := madeUp()
	measured := 0
	for _, c := range claims(b.goals(), b.rows) {
		if c.Measured {
			measured++
		}
		if c.Measured != c.Holds || strings.Contains(c.String(), "holds") != c.Holds || strings.Contains(c.String(), "not measured") == c.Measured {
			t.Errorf("%+v: %s", c, c)
		}
	}
	if measured != 10 {
		t.Errorf("%d goals are measured, want 10", measured)
	}
}

func TestClaimsDoNotHold(t *testing.T) {
	for _, test := range []struct {
		id, tree, peer, variant string
		value                   float64
		broken                  []string // beginnings of claims
	}{
		{"usable", "500k", subject, "no index", 0.021, []string{"mount, of every tree", "mount takes the same"}},
		{"usable", "50k", fusefs, "", 0.005, []string{"rows that squashfuse"}},
		{"usable", "50k", subject, "no index", 0.010, nil},
		{"usable", "50k", native, "", 0.3, []string{"mount takes less than 1/50"}},
		{"walk warm", "50k", native, "", 0.9, []string{"warm walk"}},
		{"walk warm", "50k", fusefs, "", 5, []string{"walks against"}},
		{"exec", "50k", subject, "default", 1.06, []string{"warm tar, programs and compiler: at most"}},
		{"index", "500k", subject, "deployfs index", 3, []string{"index"}},
		{"memory after a walk", "500k", subject, "default", 65 << 20, []string{"server memory"}},
	} {
		b := madeUp()
		find(b.rows, test.id, test.tree).cell(test.peer, test.variant).Values = sample{test.value}
		var broken []string
		for _, c := range claims(b.goals(), b.rows) {
			if c.Measured && !c.Holds {
				broken = append(broken, c.Text)
			}
		}
		for i, text := range broken {
			if i >= len(test.broken) || !strings.HasPrefix(text, test.broken[i]) {
				t.Errorf("%+v: broken: %q", test, broken)
				break
			}
		}
		if len(broken) < len(test.broken) {
			t.Errorf("%+v: broken: %q", test, broken)
		}
	}
}

func TestClaimAboutRequests(t *testing.T) {
	b := madeUp()
	find(b.rows, "exec", "50k").cell(subject, "default").Requests = sample{3}
	for _, c := range claims(b.goals(), b.rows) {
		if strings.HasSuffix(c.Text, "compiler: no request") && (c.Holds || !strings.Contains(c.String(), ": 3 (exec")) {
			t.Errorf("%s", c)
		}
	}
}
