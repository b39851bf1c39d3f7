package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore/compare"
	"deployfs/objstore/diff"
)

// letters are how a change is told in one letter, and its colour.
var letters = map[diff.Kind]struct {
	letter string
	colour cli.Colour
}{
	diff.Modified: {"M", cli.Commit},
	diff.Removed:  {"D", cli.Removed},
	diff.Added:    {"A", cli.Added},
	diff.Renamed:  {"R", cli.Place},
}

// printAsOstree prints what ostree prints: paths of local directories are relative. Names are made
// safe only for a terminal.
func (d *differ) printAsOstree(list []compare.Change) error {
	for _, kind := range []diff.Kind{diff.Modified, diff.Removed, diff.Added} {
		local := isLocal(d.from)
		if kind == diff.Added {
			local = isLocal(d.to)
		}
		for _, c := range list {
			if c.Kind != kind {
				continue
			}
			name := c.Path
			if local {
				name = name[1:]
			}
			look := letters[kind]
			if d.inv.Colour() {
				name = compare.Quote(name)
			}
			if _, err := fmt.Fprintln(d.inv.Stdout, d.inv.Paint(look.colour, look.letter+"    "+name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// print prints the forms that are asked for, one after the other.
func (d *differ) print(ctx context.Context, list []compare.Change) error {
	var parts []func(context.Context, []compare.Change) error
	if d.names || !d.stat && !d.patch {
		parts = append(parts, d.printNames)
	}
	if d.stat {
		parts = append(parts, d.printStat)
	}
	if d.patch {
		parts = append(parts, d.printPatch)
	}
	for i, part := range parts {
		if i > 0 && len(list) > 0 {
			fmt.Fprintln(d.inv.Stdout)
		}
		if err := part(ctx, list); err != nil {
			return err
		}
	}
	return nil
}

// printNames prints a line for each change and, with --metadata, what has changed below it.
func (d *differ) printNames(ctx context.Context, list []compare.Change) error {
	for _, c := range list {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := d.printName(c); err != nil {
			return contentError(d.repo, err)
		}
	}
	return nil
}

func (d *differ) printName(c compare.Change) (err error) {
	look, details := letters[c.Kind], compare.Details{}
	if c.Kind == diff.Modified {
		if details, err = compare.Describe(c, d.old, d.new); err != nil {
			return err
		}
	}
	if details.TypeChanged() {
		look.letter = "T"
	}
	line := look.letter + "\t"
	if c.Kind == diff.Renamed {
		line += compare.Quote(c.Old.Path) + "\t"
	}
	if _, err := fmt.Fprintln(d.inv.Stdout, d.inv.Paint(look.colour, line+compare.Quote(c.Path))); err != nil || !d.detail {
		return err
	}
	lines, err := d.metadataLines(c, details)
	for _, text := range lines {
		fmt.Fprintf(d.inv.Stdout, "\t%s\n", text)
	}
	return err
}

// metadataLines spells out what is different about an entry that was modified.
func (d *differ) metadataLines(c compare.Change, about compare.Details) (lines []string, err error) {
	for _, a := range about.Attributes() {
		lines = append(lines, a.String())
	}
	content, err := about.ContentDiffers(c, d.old, d.new)
	switch old, new := about.Old, about.New; {
	case err != nil || !content || about.TypeChanged():
	case new.IsSymlink():
		lines = append(lines, fmt.Sprintf("target %s -> %s", compare.Quote(old.Target), compare.Quote(new.Target)))
	case old.Size == new.Size:
		lines = append(lines, fmt.Sprintf("content %d bytes, others", new.Size))
	default:
		lines = append(lines, fmt.Sprintf("content %d -> %d bytes", old.Size, new.Size))
	}
	return lines, err
}

// printStat prints a table of directories.
func (d *differ) printStat(ctx context.Context, list []compare.Change) error {
	all, dirs, err := compare.Sum(ctx, list, d.old, d.new)
	if err != nil || len(list) == 0 {
		return contentError(d.repo, err)
	}
	table := tabwriter.NewWriter(d.inv.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DIRECTORY\tENTRIES\tADDED\tREMOVED\tCHANGED\tNET")
	for _, t := range dirs {
		statLine(table, compare.Quote(t.Dir), t)
	}
	statLine(table, "TOTAL", all)
	return table.Flush()
}

func statLine(table *tabwriter.Writer, name string, t compare.Totals) {
	var entries []string
	for _, n := range []struct {
		sign  string
		count int
	}{{"+", t.Added}, {"-", t.Removed}, {"~", t.Changed}, {"R", t.Renamed}} {
		if n.count > 0 {
			entries = append(entries, fmt.Sprintf("%s%d", n.sign, n.count))
		}
	}
	fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", name, strings.Join(entries, " "),
		amount(int64(t.BytesAdded)), amount(int64(t.BytesRemoved)), amount(int64(t.BytesAfter)), signed(t.Net()))
}

// signed is an amount with a sign.
func signed(n int64) string {
	switch {
	case n > 0:
		return "+" + amount(n)
	case n < 0:
		return "-" + amount(-n)
	}
	return "0B"
}

// printPatch prints a patch of each change.
func (d *differ) printPatch(ctx context.Context, list []compare.Change) error {
	for _, c := range list {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		text, err := compare.Patch(c, d.old, d.new, d.detail)
		if err != nil {
			return contentError(d.repo, err)
		}
		if d.inv.Colour() {
			text = d.coloured(text)
		}
		if _, err := d.inv.Stdout.WriteString(text); err != nil {
			return err
		}
	}
	return nil
}

// coloured is a patch for a terminal, on which no content may act.
func (d *differ) coloured(text string) string {
	var b strings.Builder
	hunk := false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		colour := cli.Colour("")
		switch {
		case strings.HasPrefix(line, "diff --git "):
			hunk, colour = false, cli.Header
		case strings.HasPrefix(line, "@@ "):
			hunk, colour = true, cli.Place
		case !hunk:
			colour = cli.Header
		case line[:1] == "+":
			colour = cli.Added
		case line[:1] == "-":
			colour = cli.Removed
		}
		line = visible(line)
		if colour != "" {
			line = d.inv.Paint(colour, line)
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// visible shows control characters, and what is no text, as "^X" and "\377".
func visible(line string) string {
	var b strings.Builder
	for i, size := 0, 0; i < len(line); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(line[i:])
		switch {
		case r < ' ' && r != '\t', r == 0x7f:
			b.WriteString("^" + string('@'^r))
		case r > 0x7f && r <= 0x9f, r == utf8.RuneError && size == 1:
			for _, ch := range []byte(line[i : i+size]) {
				fmt.Fprintf(&b, `\%03o`, ch)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
