package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// unit is what a row's values are.
type unit string

const (
	seconds unit = "s"
	octets  unit = "bytes"
)

// print writes the table, the claims and where they come from, as Markdown or JSON.
func (b *bench) print(w io.Writer, f facts) error {
	if b.json {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"facts": f, "rows": b.rows, "claims": b.claims()})
	}
	var text strings.Builder
	fmt.Fprintf(&text, "| median (smallest-largest) of %d | %s | %s | ratio | requests |\n", b.rounds, b.peers[0].name(), b.peers[1].name())
	text.WriteString("| --- | --: | --: | --: | --: |\n")
	for _, r := range b.rows {
		fmt.Fprintf(&text, "| %s | %s |\n", r.Title, strings.Join(r.columns(), " | "))
	}
	text.WriteString("\n")
	for _, c := range b.claims() {
		fmt.Fprintf(&text, "- %s\n", c)
	}
	fmt.Fprintf(&text, "\n%s\n", b.origin(f))
	_, err := io.WriteString(w, text.String())
	return err
}

// columns are the cells of a row as text.
func (r row) columns() []string {
	subject, native := r.Cells[0], r.Cells[1]
	ratio, requests := "", ""
	if len(native.Values) > 0 {
		ratio = digits(subject.Values.median() / native.Values.median())
	}
	if len(subject.Requests) > 0 {
		requests = strconv.FormatFloat(subject.Requests.median(), 'f', 0, 64)
	}
	return []string{r.Unit.format(subject.Values), r.Unit.format(native.Values), ratio, requests}
}

// format is a sample as median and spread.
func (u unit) format(s sample) string {
	if len(s) == 0 {
		return ""
	}
	scale, name := 1000.0, "ms"
	if u == octets {
		scale, name = 1e-6, "MB"
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

// origin is a sentence on where the figures come from.
func (b *bench) origin(f facts) string {
	return fmt.Sprintf("%s, %d cores, %s, %s, go-fuse %s, ostree %s, %s; load %s before and %s after. "+
		"Small tree: %s. Big tree: %s. One bare repository holds both.",
		f.Kernel, f.Cores, f.Filesystem, f.Go, f.GoFUSE, f.OSTree, f.Date, f.LoadBefore, f.LoadAfter, b.small, b.big)
}
