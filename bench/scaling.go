package main

import (
	"fmt"
	"strings"
)

// scaling tells how many times as fast as one reader several are together, for each question that was
// asked of both.
func (b *bench) scaling() (list []string) {
	for _, one := range b.rows {
		for _, c := range one.Cells {
			if c.Peer != subject {
				continue
			}
			var parts []string
			for _, n := range readers {
				many := find(b.rows, fmt.Sprintf("%s %d", one.ID, n), one.Tree)
				if many == nil {
					continue
				}
				ours, theirs := faster(&one, many, subject, c.Variant), faster(&one, many, native, "")
				if ours > 0 && theirs > 0 {
					parts = append(parts, fmt.Sprintf("%d readers %s (checkout %s)", n, digits(ours), digits(theirs)))
				}
			}
			if len(parts) > 0 {
				list = append(list, fmt.Sprintf("%s, %s: %s times as fast as one.", one.Title, c.label(), strings.Join(parts, ", ")))
			}
		}
	}
	return list
}

// faster relates a peer's answer to one question to that to another; 0 if one is missing.
func faster(one, many *row, peer, variant string) float64 {
	a, z := one.cell(peer, variant), many.cell(peer, variant)
	if a == nil || z == nil {
		return 0
	}
	return a.Values.median() / z.Values.median()
}
