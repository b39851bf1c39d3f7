package main

import (
	"context"
	"fmt"
)

// patience is how long one peer may take for all its rounds of a question, in seconds: a peer that
// would take longer gets fewer, but for the fewest.
const patience = 25.0

// question is what each of some peers is asked about a tree, round by round. Of its functions only
// timed must be set.
type question struct {
	id     string
	title  string
	tree   *tree
	peers  []peer
	fresh  bool   // each time in a directory of its own; else where the peer has the tree standing
	absent string // why nobody can be asked on this machine
	cold   bool   // drops caches
	slow   bool   // takes so long that one answer has to do
	like   string // id of another question, of the same tree and asked together, whose checkout is the base here
	before func(ctx context.Context, s spot) error
	timed  func(ctx context.Context, s spot) error
	after  func(ctx context.Context, s spot) error
}

// fewest is how many answers a slow peer gives: a first answer is as good as any when all are cold, or when it
// takes minutes.
func (q question) fewest() int {
	if q.cold || q.slow {
		return 1
	}
	return 2
}

// each asks one question after the other.
func (b *bench) each(ctx context.Context, questions ...question) error {
	for _, q := range questions {
		if err := b.ask(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// ask puts questions to one peer after the other, round by round, and adds a row for each. What the
// first round gives, in which everything is seen for the first time, is not counted, but for a peer
// that is too slow for a second one. An error is noted and shown; only the end of ctx ends asking.
func (b *bench) ask(ctx context.Context, questions ...question) error {
	questions = b.wanted(questions)
	if len(questions) == 0 {
		return nil
	}
	rows := make([]row, len(questions))
	for i, q := range questions {
		rows[i] = row{ID: q.id, Tree: q.tree.name, Title: q.title, Unit: seconds}
		for _, p := range q.peers {
			rows[i].Cells = append(rows[i].Cells, b.open(ctx, q, p))
		}
	}
	for _, q := range questions {
		say("%s", q.title)
	}
	if err := b.level(); err != nil {
		return err
	}
	drops := foreignDrops()
	for range b.rounds + 1 {
		for i, q := range questions {
			for j, p := range q.peers {
				if err := b.askOnce(ctx, q, p, &rows[i].Cells[j]); err != nil {
					return err
				}
			}
		}
	}
	for i, q := range questions {
		rows[i].settle()
		rows[i].Disturbed = foreignDrops() - drops
		for _, other := range rows {
			if base := other.base(); q.like == other.ID && q.tree.name == other.Tree && base != nil {
				rows[i].Cells = append(rows[i].Cells, *base)
			}
		}
	}
	b.rows = append(b.rows, rows...)
	return nil
}

// level lets every question begin with empty caches, so that those of the ones before it, and of what was
// made for it, press out nothing that should be warm.
func (b *bench) level() error {
	if !b.cold {
		return nil
	}
	return dropCaches(dropAll)
}

// wanted picks the questions that the command line asks for.
func (b *bench) wanted(questions []question) (picked []question) {
	for _, q := range questions {
		if (b.cold || !q.cold) && (b.only == nil || b.only.MatchString(q.title)) {
			picked = append(picked, q)
		}
	}
	return picked
}

// open begins a peer's answer: what the peer needs is made now.
func (b *bench) open(ctx context.Context, q question, p peer) cell {
	c := cell{Peer: p.column(), Variant: p.variant(), Absent: p.absent()}
	if c.Absent == "" {
		c.Absent = q.absent
	}
	if c.Absent != "" {
		return c
	}
	err := p.prepare(ctx, q.tree)
	if err == nil && !q.fresh {
		_, err = b.stand(ctx, p, q.tree)
	}
	b.blame(ctx, q, p, &c, err)
	return c
}

// blame notes that a peer has no answer, if there is an error that is the peer's.
func (b *bench) blame(ctx context.Context, q question, p peer, c *cell, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	c.Failed = err.Error()
	b.fail(fmt.Errorf("%s: %s %s: %w", q.title, p.column(), p.variant(), err))
}

// askOnce adds an answer to the cell, if one is still wanted. The error is the context's.
func (b *bench) askOnce(ctx context.Context, q question, p peer, c *cell) error {
	if c.Absent != "" || c.Failed != "" || c.wouldTake() > patience && len(c.Values) >= q.fewest() {
		return ctx.Err()
	}
	s := spot{p, q.tree, b.standing[place{p, q.tree}]}
	if q.fresh {
		s.dir = b.fresh(p)
	}
	b.blame(ctx, q, p, c, b.measure(ctx, q, s, c))
	return ctx.Err()
}
