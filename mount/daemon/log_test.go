package daemon

import (
	"errors"
	"fmt"
	"log"
	"strings"
	"testing"

	"deployfs/fs"
	"deployfs/objstore"
	"deployfs/objstore/object"
)

// TestFailure is one line for each failure, whatever names a commit brings.
func TestFailure(t *testing.T) {
	for path, want := range map[string]string{
		"/usr/bin/env":          `path=/usr/bin/env`,
		"/with blank and ü":     `path="/with blank and ü"`,
		"/ü":                    `path=/ü`,
		"/a=b":                  `path="/a=b"`,
		"/new\nline":            `path="/new\nline"`,
		"/\x1b[2Jclear":         `path="/\x1b[2Jclear"`,
		"/a\"quote":             `path="/a\"quote"`,
		"/no utf-8 \xff\u202e.": `path="/no utf-8 \xff\u202e."`,
		"/a\\b":                 `path="/a\\b"`,
	} {
		got := failure("/mnt", path, errors.New("why not")).String()
		if want := "level=error mount=/mnt " + want + ` reason="why not"`; got != want {
			t.Errorf("%q: %s, want %s", path, got, want)
		}
	}
}

// TestObjectOf finds the object in every error that has one.
func TestObjectOf(t *testing.T) {
	name := object.Name{Kind: object.KindFile}
	want := strings.Repeat("0", 64) + ".file"
	for _, err := range []error{
		object.Mismatch(name, object.Checksum{1}), object.Corrupt(name, errors.New("x")), &object.NotExistError{Object: name},
		&objstore.ReadError{Object: name, Err: errors.New("x")}, &fs.ToldError{Object: name},
	} {
		e := failure("/mnt", "/x", fmt.Errorf("open: %w", err))
		if e.object != want || !strings.Contains(e.String(), " object="+want+" reason=") {
			t.Errorf("%T: %s", err, e)
		}
	}
	if got := fs.ObjectOf(errors.New("x")); got != "" {
		t.Errorf("no object: %q", got)
	}
}

// TestEventWriter holds that each line has its level, also what others write.
func TestEventWriter(t *testing.T) {
	var level, line string
	l := log.New(&eventWriter{func(a, b string) error { level, line = a, b; return nil }}, "", 0)
	for _, c := range []struct {
		message     any
		level, line string
	}{
		{event{level: levelError, mount: "/m n", reason: "why"}, "error", `level=error mount="/m n" reason=why`},
		{event{level: levelInfo, reason: "a"}, "info", "level=info reason=a"},
		{"writer: Write/Writev failed, err: 2=no such file.", "warning", `level=warning reason="writer: Write/Writev failed, err: 2=no such file."`},
		{"two\nlines level=error ", "warning", `level=warning reason="two\nlines level=error "`},
		{"level=bogus x", "warning", `level=warning reason="level=bogus x"`},
	} {
		l.Print(c.message)
		if level != c.level || line != c.line {
			t.Errorf("%q: %s %s", c.message, level, line)
		}
	}
}
