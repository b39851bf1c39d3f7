package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// TestTable holds what help, man pages and completion need of every verb.
func TestTable(t *testing.T) {
	checkTable(t, program().Verbs)
}

// TestTestServer: help lists trivial-httpd, but under the name ostree, whose own does not.
func TestTestServer(t *testing.T) {
	for p, want := range map[*cli.Program]bool{program(): false, ostreeProgram(): true} {
		at := slices.IndexFunc(p.Verbs, func(v cli.Verb) bool { return v.Name == "trivial-httpd" })
		if at < 0 || p.Verbs[at].Hidden != want {
			t.Errorf("%s: trivial-httpd is verb %d; hidden: want %v", p.Name, at, want)
		}
	}
}

func checkTable(t *testing.T, verbs []cli.Verb) {
	seen := map[string]bool{}
	for _, v := range verbs {
		if v.Hidden {
			continue
		}
		checkTable(t, v.Verbs)
		if v.Short == "" || strings.HasSuffix(v.Short, ".") || (v.Run == nil) != (v.Verbs != nil) || seen[v.Name] {
			t.Errorf("verb %q: needs a unique name, Short without a full stop, and either Run or Verbs", v.Name)
		}
		if v.Long == "" && v.Args != "" && len(v.Examples) == 0 {
			t.Errorf("verb %q: nothing is said beyond its line", v.Name)
		}
		seen[v.Name] = true
		names := map[string]bool{"repo": !v.NoRepo, "json": true, "verbose": true, "version": true, "help": true, "?": true} // -v may be the verb's
		for _, o := range v.Options {
			for _, name := range []string{o.Name, o.Short} {
				if name != "" && names[name] {
					t.Errorf("verb %q: two options %q", v.Name, name)
				}
				names[name] = true
			}
			if o.Help == "" {
				t.Errorf("verb %q: option %q without help", v.Name, o.Name)
			}
		}
	}
}

func TestPrintCommit(t *testing.T) {
	dict := func(v gvariant.Value) gvariant.Value {
		return gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString("version"), gvariant.NewVariant(v)))
	}
	sum := "ContentChecksum:  f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b\n"
	for _, c := range []struct {
		commit object.Commit
		want   string
	}{
		{object.Commit{Metadata: dict(gvariant.NewUint32(1))}, sum + "Date:  1970-01-01 00:00:00 +0000\n(no subject)\n\n"},
		{object.Commit{Metadata: dict(gvariant.NewString("")), Subject: "s\nt", Body: "b\n\nc\n", Timestamp: 253402300799},
			sum + "Date:  9999-12-31 23:59:59 +0000\nVersion: \n\n    s\n    t\n\n    b\n    \n    c\n\n"},
		{object.Commit{Metadata: dict(gvariant.NewUint32(1)), Body: "\n", Timestamp: 1<<64 - 1},
			sum + "Date:  1969-12-31 23:59:59 +0000\n(no subject)\n\n    \n\n"},
		{object.Commit{Metadata: dict(gvariant.NewUint32(1)), Timestamp: 253402300800}, "Failed to read commit: Invalid timestamp: 253402300800"},
	} {
		var b bytes.Buffer
		if err := printCommit(&b, c.commit); err != nil {
			b.WriteString(err.Error())
		}
		if b.String() != c.want {
			t.Errorf("got %q\nwant %q", b.String(), c.want)
		}
	}
}

func TestFormatSize(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 bytes", 1: "1 byte", 999: "999 bytes", 1000: "1.0\u00a0kB", 1234567: "1.2\u00a0MB", 999999: "1000.0\u00a0kB", 1<<64 - 1: "18.4\u00a0EB",
	} {
		if got := objstore.FormatSize(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
