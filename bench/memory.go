package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// askMemory asks how much memory a server takes: a new one, and after the kernel has seen the whole
// tree. A checkout has no server.
func (b *bench) askMemory(ctx context.Context) error {
	fresh := row{Title: "server memory, new mount", Unit: octets}
	walked := row{Title: "server memory, after a walk", Unit: octets}
	for _, p := range b.peers {
		a, z := cell{Peer: p.name()}, cell{Peer: p.name()}
		if err := b.weigh(ctx, p, &a, &z); err != nil {
			return fmt.Errorf("memory: %s: %w", p.name(), err)
		}
		fresh.Cells, walked.Cells = append(fresh.Cells, a), append(walked.Cells, z)
	}
	b.rows = append(b.rows, fresh, walked)
	return nil
}

// weigh adds what the server of a new mount takes before and after a walk, if the peer has a server.
func (b *bench) weigh(ctx context.Context, p peer, fresh, walked *cell) error {
	if s, err := p.status(ctx, b.standing(p)); err != nil || s.PID == 0 {
		return err
	}
	for range b.rounds {
		dir := b.fresh(p)
		if err := p.place(ctx, b.big.name, dir); err != nil {
			return err
		}
		s, err := p.status(ctx, dir)
		if err == nil {
			err = fresh.addMemory(s.PID)
		}
		if err == nil {
			err = b.walkBig(ctx, p, dir)
		}
		if err == nil {
			err = walked.addMemory(s.PID)
		}
		if err != nil {
			return err
		}
		if err := p.remove(ctx, dir); err != nil {
			return err
		}
	}
	return nil
}

// addMemory adds the resident memory of a process, the pages of its program included.
func (c *cell) addMemory(pid int) error {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "VmRSS:" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			c.Values = append(c.Values, kib*1024)
			return err
		}
	}
	return fmt.Errorf("process %d has no VmRSS", pid)
}
