package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"
)

// question is one row of the table. Of its functions only timed must be set.
type question struct {
	title  string
	dir    func(p peer) string // where the peer's tree is, or will be
	before func(ctx context.Context, p peer, dir string) error
	timed  func(ctx context.Context, p peer, dir string) error
	after  func(ctx context.Context, p peer, dir string) error
}

// row is a question and what each peer answered.
type row struct {
	Title string `json:"question"`
	Unit  unit   `json:"unit"`
	Cells []cell `json:"peers"`
}

// cell is what one peer answered: a value and a number of requests for each round.
type cell struct {
	Peer     string `json:"peer"`
	Values   sample `json:"values"`
	Requests sample `json:"requests,omitempty"`
}

// ask puts questions to one peer after the other, round by round, and adds a row for each. What the
// first round gives, in which everything is seen for the first time, is not counted.
func (b *bench) ask(ctx context.Context, questions ...question) error {
	rows := make([]row, len(questions))
	for i, q := range questions {
		fmt.Fprintf(os.Stderr, "%4.0f s: %s\n", time.Since(b.start).Seconds(), q.title)
		rows[i] = row{Title: q.title, Unit: seconds, Cells: make([]cell, len(b.peers))}
	}
	for round := range b.rounds + 1 {
		for i, q := range questions {
			if err := b.askOnce(ctx, q, rows[i].Cells, round > 0); err != nil {
				return fmt.Errorf("%s: %w", q.title, err)
			}
		}
	}
	b.rows = append(b.rows, rows...)
	return nil
}

// askOnce puts a question to every peer, and adds the answers to its cell if they count.
func (b *bench) askOnce(ctx context.Context, q question, cells []cell, counts bool) error {
	for i, p := range b.peers {
		if err := ctx.Err(); err != nil {
			return err
		}
		took, requests, err := b.measure(ctx, q, p)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name(), err)
		}
		cells[i].Peer = p.name()
		if counts {
			cells[i].Values = append(cells[i].Values, took)
			cells[i].Requests = append(cells[i].Requests, requests)
		}
	}
	return nil
}

// measure asks once: the seconds that it took and the requests that the server got meanwhile.
func (b *bench) measure(ctx context.Context, q question, p peer) (took, requests float64, err error) {
	dir := q.dir(p)
	if q.before != nil {
		if err := q.before(ctx, p, dir); err != nil {
			return 0, 0, err
		}
	}
	old, err := p.status(ctx, dir)
	if err != nil {
		return 0, 0, err
	}
	runtime.GC()
	hang := time.AfterFunc(deadline, func() { unmountBelow(b.work) })
	defer hang.Stop()
	start := time.Now()
	err = q.timed(ctx, p, dir)
	took = time.Since(start).Seconds()
	if err != nil {
		return 0, 0, err
	}
	now, err := p.status(ctx, dir)
	if err == nil && q.after != nil {
		err = q.after(ctx, p, dir)
	}
	return took, float64(now.Requests - old.Requests), err
}
