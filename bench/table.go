package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// table writes the rows as Markdown: a line for each of a question's answers from the program under
// test, the first of which has the other peers' answers, too.
func (b *bench) table() string {
	var text strings.Builder
	fmt.Fprintf(&text, "| median (smallest-largest) of %d | mount | deployfs | `ostree checkout -H` | ratio | requests | %s | %s | %s |\n",
		b.rounds, erofs, squashfs, fusefs)
	text.WriteString("| --- | --- | --: | --: | --: | --: | --: | --: | --: |\n")
	for _, r := range b.rows {
		first := true
		for i := range r.Cells {
			if c := &r.Cells[i]; c.Peer == subject {
				fmt.Fprintf(&text, "| %s |\n", strings.Join(b.line(&r, c, first), " | "))
				first = false
			}
		}
	}
	return text.String()
}

// line is one line of a row: what c says, and on the first line what the other peers say.
func (b *bench) line(r *row, c *cell, first bool) []string {
	ratio, requests := "", ""
	if x := r.ratio(c); x > 0 {
		ratio = digits(x)
	}
	if len(c.Requests) > 0 {
		requests = strconv.FormatFloat(c.Requests.median(), 'f', 0, 64)
	}
	fields := []string{r.Title, c.label(), b.text(r, c), "", ratio, requests, "", "", ""}
	if !first {
		fields[0] = ""
		return fields
	}
	for i, name := range []string{3: native, 6: erofs, 7: squashfs, 8: fusefs} {
		for j := range r.Cells {
			if peer := &r.Cells[j]; name != "" && peer.Peer == name {
				fields[i] = b.text(r, peer)
				if x := r.ratio(peer); x > 0 && name != native {
					fields[i] = digits(x) + ": " + fields[i]
				}
			}
		}
	}
	return fields
}

// label is the variant, and how its server says that it works.
func (c *cell) label() string {
	switch {
	case c.Setting == "" || c.Setting == c.Variant:
		return c.Variant
	case strings.Contains(c.Setting, c.Variant):
		return c.Setting
	}
	return c.Variant + " (" + c.Setting + ")"
}

// text is an answer, or why there is none. A number of rounds that is not the run's is named.
func (b *bench) text(r *row, c *cell) string {
	switch {
	case c.Absent != "":
		return "absent"
	case c.Failed != "":
		return "failed"
	}
	text := r.Unit.format(c.Values)
	if len(c.Anonymous) > 0 {
		text += fmt.Sprintf(": %s own, %s of files, %s shared", digits(c.Anonymous.median()/1e6), digits(c.Files.median()/1e6), digits(c.Shared.median()/1e6))
	}
	if n := len(c.Values); n > 0 && n < b.rounds {
		text += fmt.Sprintf(", %d×", n)
	}
	return text
}

// absences tell why peers are absent, each reason once.
func (b *bench) absences() (list []string) {
	seen := map[string]bool{}
	for _, r := range b.rows {
		for _, c := range r.Cells {
			name := c.Peer
			if c.Variant != "" {
				name += " (" + c.Variant + ")"
			}
			if line := fmt.Sprintf("%s is absent: %s.", name, c.Absent); c.Absent != "" && !seen[line] {
				seen[line] = true
				list = append(list, line)
			}
		}
	}
	return list
}

// disturbances name the rows that another program has spoilt.
func (b *bench) disturbances() (list []string) {
	for _, r := range b.rows {
		if r.Disturbed > 0 {
			list = append(list, fmt.Sprintf("%s: do not trust this row. Another program dropped the caches meanwhile, %d times.", r.Title, r.Disturbed))
		}
	}
	return list
}

// format is a sample as median and spread.
func (u unit) format(s sample) string {
	if len(s) == 0 {
		return ""
	}
	scale, name := 1000.0, "ms"
	switch {
	case u == octets:
		scale, name = 1e-6, "MB"
	case s.median() >= 10:
		scale, name = 1, "s"
	}
	if len(s) == 1 {
		return fmt.Sprintf("%s %s", digits(s[0]*scale), name)
	}
	low, high := s.spread()
	return fmt.Sprintf("%s (%s-%s) %s", digits(s.median()*scale), digits(low*scale), digits(high*scale), name)
}

// digits writes a number so that its first three digits are seen, or two when it is below 1.
func digits(x float64) string {
	if x <= 0 {
		return "0"
	}
	magnitude := int(math.Floor(math.Log10(x)))
	if magnitude < 0 {
		return strconv.FormatFloat(x, 'f', 1-magnitude, 64)
	}
	return strconv.FormatFloat(x, 'f', max(0, 2-magnitude), 64)
}
