package main

import (
	"fmt"
	"slices"
	"strings"
)

// goals are what is promised, for the trees of a run. What no tree is named for is about the main one.
func (b *bench) goals() []goal {
	var all, big []string
	for _, t := range b.trees {
		all = append(all, t.name)
		if t == b.main || t.huge {
			big = append(big, t.name)
		}
	}
	t, largest := []string{b.main.name}, all[len(all)-1:]
	wire := []string{b.carried().name}
	warm := []string{"tar warm", "exec", "dynamic", "compiler"}
	large := []string{"large warm", "large cold3", "random warm", "random cold3", "mmap warm", "mmap cold3"}
	return []goal{
		{"mount, of every tree, with and without an index, takes at most 20 ms", 0.020, milliseconds, join(medians(all, "default", "usable"), medians(all, "no index", "usable"))},
		{fmt.Sprintf("mount takes the same for every tree, within a noise of %.2f", noise), noise, times, join(growth(all, "default"), growth(all, "no index"))},
		{"mount takes less than 1/50 (0.02) of `ostree checkout -H`, of trees from " + b.main.name + " on", 1.0 / 50, times, join(ratios(big, "default", "usable"), ratios(big, "no index", "usable"))},
		{"warm walk: at most 1.1 of the checkout", 1.1, times, ratios(t, "default", "walk warm")},
		{"cold2 walk: at most 2.0", 2.0, times, ratios(t, "default", "walk cold2")},
		{"cold3 walk, with an index: at most 1.3", 1.3, times, ratios(t, "default", "walk cold3")},
		{"warm tar, programs and compiler: at most 1.05", 1.05, times, ratios(t, "default", warm...)},
		{"warm tar, programs and compiler: no request", 0, count, requests(t, "default", warm...)},
		{"small files, warm: at most 1.2", 1.2, times, ratios(t, "default", "small warm")},
		{"small files, warm: no request", 0, count, requests(t, "default", "small warm")},
		{"small files, cold3: at most 1.5", 1.5, times, ratios(t, "default", "small first", "small again")},
		{"large file, passthrough: at most 1.1", 1.1, times, ratios(t, "passthrough", large...)},
		{"large file, cached, sequential, warm: at most 1.5", 1.5, times, ratios(t, "cached", "large warm")},
		{"large file, cached, sequential, cold3: at most 1.75", 1.75, times, ratios(t, "cached", "large cold3")},
		{fmt.Sprintf("archive, second read: as bare, within a noise of %.2f", noise), noise, times, against(t, "default", "archive", "small again")},
		{"index: less than 1/3 (0.33) of `ostree checkout -H`, of trees from " + b.main.name + " on", 1.0 / 3, times, ratios(big, "deployfs index", "index")},
		{"diff of one changed file, of every tree: less than 5 ms", 0.005, milliseconds, medians(all, "deployfs diff", "diff")},
		{"diff of one changed file, of every tree: less than 100 objects opened", 100, count, requests(all, "deployfs diff", "diff")},
		{"log of a file over 2,000 commits: at most 6,000 objects opened, 3 a commit", 6000, count, requests(t, "deployfs log", "log")},
		{"checksums of 2,000 commits listed: at most 50 ms", 0.050, milliseconds, medians(t, "mount --history", "names first", "names again")},
		{"commit, checkout, fsck and pull-local of " + b.main.name + ": at most 0.7 of ostree's time", 0.7, times, b.writing()},
		{"pull of " + wire[0] + " from nginx: at most 0.7 of ostree's time", 0.7, times, ratios(wire, "deployfs pull", "pull near archive", "pull near bare-user")},
		{fmt.Sprintf("the same, %s away: at most 0.5", 2*b.delay), 0.5, times, ratios(wire, "deployfs pull", "pull far archive", "pull far bare-user")},
		{"static deltas made and applied: at most ostree's time", 1, times, ratios(wire, "deployfs static-delta", "delta generate", "delta apply")},
		{"static deltas: at most 1.1 of the size of ostree's", 1.1, times, ratios(wire, "deployfs static-delta", "delta generate bytes")},
		{"mount from nginx and `ls -l`: at most 0.1 of the time and bytes of a pull", 0.1, times, ratios(wire, "mount --remote", "lazy near", "lazy far", "lazy near bytes", "lazy far bytes")},
		{"server memory after a walk of " + largest[0] + ": less than 64 MiB", 64, mebibytes, scaled(1.0/(1<<20), medians(largest, "default", "memory after a walk"))},
		{"rows that squashfuse was asked: ahead of it (at most 1)", 1, times, rivals(big, "")},
		{"walks against squashfuse: 10 times ahead (at most 0.1)", 0.1, times, rivals(big, "walk")},
		{"small files against squashfuse: 10 times ahead (at most 0.1)", 0.1, times, rivals(big, "small")},
	}
}

// The ways to write a figure.
func times(x float64) string        { return digits(x) }
func count(x float64) string        { return fmt.Sprintf("%.0f", x) }
func milliseconds(x float64) string { return digits(x*1000) + " ms" }
func mebibytes(x float64) string    { return digits(x) + " MiB" }

// pick makes figures of the answers that a variant gave to questions about trees.
func pick(trees []string, variant string, ids []string, value func(*row, *cell) (float64, bool)) func([]row) []figure {
	return func(rows []row) (list []figure) {
		for _, tree := range trees {
			for _, id := range ids {
				r := find(rows, id, tree)
				if r == nil {
					continue
				}
				c := r.cell(subject, variant)
				if c == nil {
					continue
				}
				if x, ok := value(r, c); ok {
					list = append(list, figure{r.Title + ", " + c.label(), x})
				}
			}
		}
		return list
	}
}

func ratios(trees []string, variant string, ids ...string) func([]row) []figure {
	return pick(trees, variant, ids, func(r *row, c *cell) (float64, bool) { x := r.ratio(c); return x, x > 0 })
}

func medians(trees []string, variant string, ids ...string) func([]row) []figure {
	return pick(trees, variant, ids, func(_ *row, c *cell) (float64, bool) { return c.Values.median(), true })
}

func requests(trees []string, variant string, ids ...string) func([]row) []figure {
	return pick(trees, variant, ids, func(_ *row, c *cell) (float64, bool) { return c.Requests.median(), len(c.Requests) > 0 })
}

// against relates one variant's answers to another's.
func against(trees []string, base, variant string, ids ...string) func([]row) []figure {
	return pick(trees, variant, ids, func(r *row, c *cell) (float64, bool) {
		if other := r.cell(subject, base); other != nil {
			return c.Values.median() / other.Values.median(), true
		}
		return 0, false
	})
}

// growth relates the longest of a variant's mounts to the shortest.
func growth(trees []string, variant string) func([]row) []figure {
	return func(rows []row) []figure {
		mounts := medians(trees, variant, "usable")(rows)
		if len(mounts) < 2 {
			return nil
		}
		low, high := mounts[0], mounts[0]
		for _, m := range mounts {
			if m.value < low.value {
				low = m
			}
			if m.value > high.value {
				high = m
			}
		}
		return []figure{{high.of + ", against " + low.of, high.value / low.value}}
	}
}

// rivals relates the program's answers to squashfuse's, in rows whose id begins so. Without an index
// the program is not at its best, which is what such a goal is about.
func rivals(trees []string, prefix string) func([]row) []figure {
	return func(rows []row) (list []figure) {
		for _, r := range rows {
			rival := r.cell(fusefs, "")
			if rival == nil || !slices.Contains(trees, r.Tree) || !strings.HasPrefix(r.ID, prefix) {
				continue
			}
			for _, c := range r.Cells {
				if c.Peer == subject && c.Variant != "no index" && len(c.Values) > 0 && c.Failed == "" {
					list = append(list, figure{r.Title + ", " + c.label(), c.Values.median() / rival.Values.median()})
				}
			}
		}
		return list
	}
}

func join(parts ...func([]row) []figure) func([]row) []figure {
	return func(rows []row) (list []figure) {
		for _, part := range parts {
			list = append(list, part(rows)...)
		}
		return list
	}
}

func scaled(by float64, of func([]row) []figure) func([]row) []figure {
	return func(rows []row) []figure {
		list := of(rows)
		for i := range list {
			list[i].value *= by
		}
		return list
	}
}

// writing are the ratios of the verbs that write or check.
func (b *bench) writing() func([]row) []figure {
	return func(rows []row) (list []figure) {
		for _, r := range rows {
			if c := r.writer(); c != nil {
				list = append(list, figure{r.Title, r.ratio(c)})
			}
		}
		return list
	}
}

// writer is the answer of our program in a row about verbs that write, or nil.
func (r *row) writer() *cell {
	verb, _, _ := strings.Cut(r.ID, " ")
	switch verb {
	case "commit", "checkout", "fsck", "pull-local":
		return r.cell(subject, "deployfs "+verb)
	}
	return nil
}
