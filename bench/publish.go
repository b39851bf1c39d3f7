package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Marks in the README, between which everything is measured.
const (
	beginMark = "<!-- measured: begin -->"
	endMark   = "<!-- measured: end -->"
	plotFile  = "growth.svg"
)

// publish prints the table, and writes the files that the command line asks for.
func (b *bench) publish(f facts) error {
	held := claims(b.goals(), b.rows)
	text := b.report(f, held)
	_, err := fmt.Print(text)
	if b.json != "" {
		out, jsonErr := json.MarshalIndent(map[string]any{"facts": f, "rows": b.rows, "claims": held}, "", "  ")
		err = errors.Join(err, jsonErr, writeFile(b.json, append(out, '\n')))
	}
	if b.readme != "" {
		err = errors.Join(err, b.rewrite(text))
	}
	return err
}

// report is everything measured, as Markdown.
func (b *bench) report(f facts, held []claim) string {
	var text strings.Builder
	text.WriteString(b.table())
	text.WriteString("\n")
	for _, line := range slices.Concat(b.disturbances(), b.absences(), b.scaling()) {
		fmt.Fprintf(&text, "- %s\n", line)
	}
	text.WriteString("\nGoals, each with the worst figure that it is about:\n\n")
	for _, c := range held {
		fmt.Fprintf(&text, "- %s\n", c)
	}
	fmt.Fprintf(&text, "\n%s\n", f)
	for _, t := range b.trees {
		fmt.Fprintf(&text, "Tree %s: %s.\n", t.name, t)
	}
	return text.String()
}

// rewrite puts the report and the plot where the README has them.
func (b *bench) rewrite(report string) error {
	old, err := os.ReadFile(b.readme)
	if err != nil {
		return err
	}
	report = fmt.Sprintf("%s\n![How mounts, indexes and walks grow with the tree](%s)\n", report, plotFile)
	text, err := between(string(old), report)
	if err != nil {
		return fmt.Errorf("%s: %w", b.readme, err)
	}
	return errors.Join(
		writeFile(filepath.Join(filepath.Dir(b.readme), plotFile), []byte(plot(b.panels()))),
		writeFile(b.readme, []byte(text)),
	)
}

// between replaces what stands between the marks.
func between(text, inner string) (string, error) {
	head, rest, ok := strings.Cut(text, beginMark)
	_, tail, ok2 := strings.Cut(rest, endMark)
	if !ok || !ok2 {
		return "", fmt.Errorf("no %q with %q after it", beginMark, endMark)
	}
	return head + beginMark + "\n" + strings.Trim(inner, "\n") + "\n" + endMark + tail, nil
}

// writeFile replaces a file as a whole.
func writeFile(path string, data []byte) error {
	temp := path + ".new"
	if err := os.WriteFile(temp, data, 0o644); err != nil {
		return err
	}
	return os.Rename(temp, path)
}
