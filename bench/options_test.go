package main

import (
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	o, err := parse([]string{"-quick", "-sizes", "2000,300"})
	if err != nil || o.rounds != 1 || !slices.Equal(o.sizes, []int{300, 2000}) || o.large != trial.large {
		t.Errorf("%+v, %v", o, err)
	}
	o, err = parse([]string{"-n", "3", "-only", "^walk"})
	if err != nil || o.rounds != 3 || len(o.sizes) != 3 || o.large != 1<<30 {
		t.Errorf("%+v, %v", o, err)
	}
	b := &bench{options: o}
	picked := b.wanted([]question{{title: "walk 5k"}, {title: "a walk"}})
	if len(picked) != 1 || picked[0].title != "walk 5k" {
		t.Errorf("%+v", picked)
	}
	for _, bad := range [][]string{{"-n", "0"}, {"-only", "("}, {"-sizes", "5000,x"}, {"-sizes", "1"}, {"-sizes", "5000000000"}, {"tree"}} {
		if _, err := parse(bad); err == nil {
			t.Errorf("no error about %q", bad)
		}
	}
}

func TestKnows(t *testing.T) {
	p := program{help: "  --data=auto|cached|passthrough  How\n  --no-index  Do not\n"}
	for option, want := range map[string]bool{"--data": true, "--no-index": true, "--no": false, "--index": false} {
		if p.knows(option) != want {
			t.Errorf("%s: %v", option, !want)
		}
	}
}

func TestPatience(t *testing.T) {
	c := cell{Values: sample{4, 14}}
	if got := c.wouldTake(); got != 32 {
		t.Errorf("%v, want 32", got)
	}
	r := row{Cells: []cell{{Values: sample{9, 1, 2}, Requests: sample{5, 0, 0}}, {Values: sample{30}}, {}}}
	r.settle()
	if !slices.Equal(r.Cells[0].Values, sample{1, 2}) || !slices.Equal(r.Cells[0].Requests, sample{0, 0}) || len(r.Cells[1].Values) != 1 {
		t.Errorf("%+v", r)
	}
}
