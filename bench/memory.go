package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// askMemory asks how much memory a server takes: a new one, and after the kernel has seen the whole
// of a tree. Nobody but a server has an answer.
func (b *bench) askMemory(ctx context.Context) error {
	for _, t := range b.trees {
		if t != b.main && !t.huge {
			continue
		}
		var questions []question
		for _, when := range []string{"new mount", "after a walk"} {
			questions = append(questions, question{
				id: "memory " + when, title: fmt.Sprintf("server memory of %s, %s", t.name, when), tree: t, fresh: true,
				peers: []peer{b.peers.standard, b.peers.noIndex},
			})
		}
		for _, q := range b.wanted(questions) {
			if err := b.weigh(ctx, q); err != nil {
				return err
			}
		}
	}
	return nil
}

// weigh adds a row of what servers of new mounts take.
func (b *bench) weigh(ctx context.Context, q question) error {
	say("%s", q.title)
	r := row{ID: q.id, Tree: q.tree.name, Title: q.title, Unit: octets}
	for _, p := range q.peers {
		c := b.open(ctx, q, p)
		took := cell{} // for patience
		for range b.rounds {
			if c.Absent != "" || c.Failed != "" || took.wouldTake() > patience {
				break
			}
			seconds, err := b.weighOnce(ctx, spot{p, q.tree, b.fresh(p)}, q.id == "memory after a walk", &c)
			took.Values = append(took.Values, seconds)
			b.blame(ctx, q, p, &c, err)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		r.Cells = append(r.Cells, c)
	}
	b.rows = append(b.rows, r)
	return nil
}

// weighOnce mounts, walks if asked to, adds the server's memory to the cell, and says how long the
// walk took.
func (b *bench) weighOnce(ctx context.Context, s spot, walk bool, c *cell) (took float64, err error) {
	if err := s.peer.place(ctx, s.tree, s.dir); err != nil {
		return 0, err
	}
	if m, ok := s.peer.(*mounted); ok {
		err = m.ready(ctx, s.dir)
	}
	if err == nil && walk {
		took, err = clock(ctx, s, walkTree)
	}
	var now status
	if err == nil {
		now, err = s.peer.status(ctx, s.dir)
	}
	if err == nil {
		c.Setting = now.setting()
		err = c.addMemory(now.PID)
	}
	return took, errors.Join(err, s.peer.remove(ctx, s.dir))
}

// addMemory adds the resident memory of a process, and of what kind it is.
func (c *cell) addMemory(pid int) error {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return err
	}
	kinds := map[string]*sample{"VmRSS:": &c.Values, "RssAnon:": &c.Anonymous, "RssFile:": &c.Files, "RssShmem:": &c.Shared}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) != 3 || kinds[fields[0]] == nil {
			continue
		}
		kib, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			return fmt.Errorf("memory of process %d: %w", pid, err)
		}
		*kinds[fields[0]] = append(*kinds[fields[0]], kib*1024)
		delete(kinds, fields[0])
	}
	if len(kinds) > 0 {
		return fmt.Errorf("process %d does not tell its memory", pid)
	}
	return nil
}
