package daemon

import (
	"bytes"
	"errors"
	"log"
	"testing"
)

// TestReport is one line for each report, whatever names a commit brings.
func TestReport(t *testing.T) {
	var out bytes.Buffer
	s := &server{log: log.New(&out, "", 0), cfg: Config{Mountpoint: "/mnt"}}
	for path, want := range map[string]string{
		"/usr/bin/env":          "/mnt: /usr/bin/env: why\n",
		"/with blank and ü":     "/mnt: /with blank and ü: why\n",
		"/new\nline":            "/mnt: \"/new\\nline\": why\n",
		"/\x1b[2Jclear":         "/mnt: \"/\\x1b[2Jclear\": why\n",
		"/a\"quote":             "/mnt: \"/a\\\"quote\": why\n",
		"/no utf-8 \xff\u202e.": "/mnt: \"/no utf-8 \\xff\\u202e.\": why\n",
	} {
		out.Reset()
		s.report(path, errors.New("why"))
		if out.String() != want {
			t.Errorf("%q: %q, want %q", path, out.String(), want)
		}
	}
}
