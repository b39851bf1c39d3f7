package main

import (
	"os/exec"
	"testing"
)

func TestParseMessage(t *testing.T) {
	for _, c := range []struct{ text, subject, body string }{
		{"", "", ""},
		{"\n# a comment\n\n", "", ""},
		{"subject", "subject", ""},
		{"\n\n  subject \n#c\n\n\nbody\n\nmore\n\n", "  subject", "body\n\nmore"},
		{"s\nb1\n# c\n b2\n", "s", "b1\n b2"},
	} {
		if subject, body := parseMessage(c.text); subject != c.subject || body != c.body {
			t.Errorf("%q: %q and %q, want %q and %q", c.text, subject, body, c.subject, c.body)
		}
	}
	if subject, body := parseMessage(messageTemplate("main", "")); subject+body != "" {
		t.Errorf("an unchanged template says %q, %q", subject, body)
	}
	if subject, _ := parseMessage(messageTemplate("main", "given")); subject != "given" {
		t.Errorf("the given subject becomes %q", subject)
	}
}

func TestChildFailure(t *testing.T) {
	for command, want := range map[string]string{
		"exit 3": "Child process exited with code 3", "kill -9 $$": "Child process killed by signal 9",
	} {
		if err := childFailure(exec.Command("/bin/sh", "-c", command).Run()); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", command, err, want)
		}
	}
}
