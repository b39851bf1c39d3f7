package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

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

// printAsOstree prints what ostree prints: paths of local directories are relative.
func (d *differ) printAsOstree(ctx context.Context) error {
	local := map[diff.Kind]bool{diff.Modified: isLocal(d.from), diff.Removed: isLocal(d.from), diff.Added: isLocal(d.to)}
	lines := map[diff.Kind]*bytes.Buffer{diff.Modified: {}, diff.Removed: {}, diff.Added: {}}
	err := d.each(ctx, func(c compare.Change) error {
		name, look := c.Path, letters[c.Kind]
		if local[c.Kind] {
			name = name[1:]
		}
		line := d.inv.Paint(look.colour, look.letter+"    "+name) + "\n"
		lines[c.Kind].WriteString(line)
		return d.left.Take(perByte * len(line))
	})
	if err != nil {
		return err
	}
	for _, kind := range []diff.Kind{diff.Modified, diff.Removed, diff.Added} {
		if _, err := lines[kind].WriteTo(d.out()); err != nil {
			return err
		}
	}
	return nil
}

// perByte is how much memory a byte takes in a buffer that grows, about.
const perByte = 3

// form is one of the forms that changes are printed in.
type form struct {
	tell func(context.Context, compare.Change) error
	end  func() error
}

// forms are those that are asked for.
func (d *differ) forms() (list []form) {
	none := func() error { return nil }
	if d.names || !d.stat && !d.patch {
		list = append(list, form{d.printName, none})
	}
	if d.stat {
		sum := compare.NewSummary(d.old, d.new, &d.left)
		add := func(_ context.Context, c compare.Change) error { return sum.Add(c) }
		list = append(list, form{add, func() error { return d.printStat(sum) }})
	}
	if d.patch {
		list = append(list, form{d.printPatch, none})
	}
	return list
}

// print prints the forms one after the other. Changes are held only where they are needed twice, or
// looked at together.
func (d *differ) print(ctx context.Context) error {
	forms := d.forms()
	if len(forms) == 1 && !d.renames {
		err := d.each(ctx, func(c compare.Change) error { return forms[0].tell(ctx, c) })
		if err != nil {
			return contentError(d.repo, err)
		}
		return forms[0].end()
	}
	list, err := d.list(ctx)
	if err != nil {
		return err
	}
	for i, f := range forms {
		if i > 0 && len(list) > 0 {
			fmt.Fprintln(d.out())
		}
		if err := d.printForm(ctx, f, list); err != nil {
			return contentError(d.repo, err)
		}
	}
	return nil
}

func (d *differ) printForm(ctx context.Context, f form, list []compare.Change) error {
	for _, c := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		d.told.Add(1)
		if err := f.tell(ctx, c); err != nil {
			return err
		}
	}
	return f.end()
}

// printName prints a line for a change and, with --metadata, what has changed below it.
func (d *differ) printName(_ context.Context, c compare.Change) (err error) {
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
	if _, err := fmt.Fprintln(d.out(), d.inv.Paint(look.colour, line+compare.Quote(c.Path))); err != nil || !d.detail {
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
func (d *differ) printStat(sum *compare.Summary) error {
	dirs := sum.Dirs()
	if len(dirs) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(d.out(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DIRECTORY\tENTRIES\tADDED\tREMOVED\tCHANGED\tNET")
	for _, t := range dirs {
		statLine(table, compare.Quote(t.Dir), t)
	}
	statLine(table, "TOTAL", sum.All)
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

// printPatch prints a patch of a change.
func (d *differ) printPatch(ctx context.Context, c compare.Change) error {
	p := compare.Patcher{Old: d.old, New: d.new, Attributes: d.detail, Emit: func(text string) error {
		if d.inv.Colour() {
			text = d.coloured(text)
		}
		_, err := d.out().WriteString(text)
		return err
	}}
	return p.Write(ctx, c)
}

// coloured is a patch in colours.
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
		if colour != "" {
			line = d.inv.Paint(colour, line)
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
