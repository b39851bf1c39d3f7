package main

import (
	"fmt"
	"io"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore/facts"
	"deployfs/objstore/object"
)

// printCommit prints a commit as show and log do.
func printCommit(w io.Writer, c object.Commit) error {
	date, ok := facts.Time(c)
	if !ok {
		return cli.Words(fmt.Sprintf("Failed to read commit: Invalid timestamp: %d", c.Timestamp))
	}
	var b strings.Builder
	if !c.Parent.IsZero() {
		fmt.Fprintf(&b, "Parent:  %s\n", c.Parent)
	}
	fmt.Fprintf(&b, "ContentChecksum:  %s\n", c.ContentChecksum())
	fmt.Fprintf(&b, "Date:  %s\n", date.Format("2006-01-02 15:04:05 +0000"))
	if version, ok := facts.Version(c); ok {
		fmt.Fprintf(&b, "Version: %s\n", version)
	}
	if c.Subject == "" {
		b.WriteString("(no subject)\n")
	} else {
		b.WriteString("\n" + indented(c.Subject))
	}
	if c.Body != "" {
		b.WriteString("\n" + indented(c.Body))
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// indented puts four blanks before each line of text, and ends the last one.
func indented(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return "    " + strings.Join(lines, "\n    ") + "\n"
}
