package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"deployfs/cmd/internal/cli"
)

// message is the commit's subject and body: from an editor, a file or the options.
func (o *commitOptions) message(ctx context.Context, inv *cli.Invocation) (subject, body string, err error) {
	switch {
	case o.editor:
		text, err := edit(ctx, inv, messageTemplate(o.branch, o.subject))
		if err != nil {
			return "", "", err
		}
		if subject, body = parseMessage(text); subject == "" {
			return "", "", cli.Words("Aborting commit due to empty commit subject.")
		}
		return subject, body, nil
	case o.bodyFile != nil:
		body, err = readText(*o.bodyFile)
		return o.subject, body, err
	}
	return o.subject, o.body, nil
}

// messageTemplate is what the editor begins with.
func messageTemplate(branch, subject string) string {
	var b strings.Builder
	b.WriteString("\n" +
		"# Please enter the commit message for your changes. The first line will\n" +
		"# become the subject, and the remainder the body. Lines starting\n" +
		"# with '#' will be ignored, and an empty message aborts the commit.")
	if branch != "" {
		b.WriteString("\n#\n# Branch: " + branch)
	}
	if subject != "" {
		b.WriteString("\n" + subject)
	}
	return b.String() + "\n"
}

// parseMessage takes a message apart: the first line that says something is the
// subject, what follows it the body.
func parseMessage(text string) (subject, body string) {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " \t\r\v\f")
		switch {
		case strings.HasPrefix(line, "#"), line == "" && len(lines) == 0:
		case subject == "":
			subject = line
		default:
			lines = append(lines, line)
		}
	}
	return subject, strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// edit has the user change a text.
func edit(ctx context.Context, inv *cli.Invocation, text string) (string, error) {
	editor, err := editorCommand()
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp("", "deployfs-commit-")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", editor+` "$1"`, "sh", f.Name())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, inv.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("There was a problem with the editor '%s': %w", editor, childFailure(err))
	}
	return readText(f.Name())
}

// childFailure words how a program has ended as GLib does.
func childFailure(err error) error {
	exit := (*exec.ExitError)(nil)
	if !errors.As(err, &exit) {
		return err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return fmt.Errorf("Child process killed by signal %d", status.Signal())
	}
	return fmt.Errorf("Child process exited with code %d", exit.ExitCode())
}

// editorCommand is what the environment says, in git's order.
func editorCommand() (string, error) {
	terminal := os.Getenv("TERM")
	dumb := terminal == "" || terminal == "dumb"
	names := []string{"OSTREE_EDITOR", "VISUAL", "EDITOR"}
	if dumb {
		names = []string{"OSTREE_EDITOR", "EDITOR"}
	}
	for _, name := range names {
		if editor := os.Getenv(name); editor != "" {
			return editor, nil
		}
	}
	if dumb {
		return "", cli.Words("Terminal is dumb, but EDITOR unset")
	}
	return "vi", nil
}
