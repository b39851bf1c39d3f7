package objstore

import (
	"errors"
	"os"
	"strings"
	"testing"
	"unicode"

	"deployfs/objstore/object"
)

// wantLine fails unless an error can stand in a line of a terminal.
func wantLine(t testing.TB, err error) {
	t.Helper()
	if text := err.Error(); text == "" || strings.IndexFunc(text, unicode.IsControl) >= 0 {
		t.Fatalf("an error that is no line: %q", text)
	}
}

// FuzzOpen: a repository of any configuration is opened, or refused with a line
// for people. What is opened has a mode and answers.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("[core]\nrepo_version=1\nmode=archive-z2\n"))
	f.Add([]byte("[core]\nrepo_version=1\nmode=bare-user\nparent=.\nlocking=false\nlock-timeout-secs=-1\n[remote \"a\"]\nurl=x\n"))
	f.Add([]byte("[core]\nrepo_version=1\nparent=/\\t\x1b\ndisable-xattrs=true\n"))
	b := build(f, "archive")
	f.Fuzz(func(t *testing.T, config []byte) {
		if err := os.WriteFile(b.file("config"), config, 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := Open(b.path)
		if err != nil {
			if !errors.Is(err, ErrOpen) {
				t.Fatal(err)
			}
			wantLine(t, err)
			return
		}
		defer r.Close()
		if _, err := ParseMode(r.Mode().String()); err != nil {
			t.Fatal(err)
		}
		if _, err := r.lockTimeout(); err != nil {
			wantLine(t, err)
		}
		if refs, err := r.Refs(); err != nil || len(refs) > 0 {
			t.Fatalf("refs %v, %v", refs, err)
		}
	})
}

// FuzzRefFile: a ref is what its file says, as ostree reads it, or a line for
// people; and the list of refs shows it either way.
func FuzzRefFile(f *testing.F) {
	sum := strings.Repeat("0123456789abcdef", 4)
	for _, text := range []string{sum + "\n", sum, sum + " \r\n", " " + sum, "", "junk", "\x1b[31m" + sum, strings.ToUpper(sum)} {
		f.Add([]byte(text))
	}
	b := build(f, "bare")
	r := b.open()
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(b.file("refs/heads/main"), text, 0o644); err != nil {
			t.Fatal(err)
		}
		want, wantErr := object.ParseChecksum(strings.TrimRight(string(text[:min(len(text), maxRef)]), " \t\n\r\v\f"))
		got, err := r.Resolve("main")
		if got != want || (err == nil) != (wantErr == nil) {
			t.Fatalf("%q is %s, %v", text, got, err)
		}
		if err != nil {
			wantLine(t, err)
		}
		if list, err := r.Refs(); err != nil || len(list) != 1 || list[0].Ref != "main" {
			t.Fatalf("%q: refs %v, %v", text, list, err)
		}
	})
}

// FuzzResolve: whatever is asked for, it is a commit that is here, a checksum, or
// not found; and no file is looked for outside of refs.
func FuzzResolve(f *testing.F) {
	b := build(f, "archive")
	parent := b.commit("parent", object.Checksum{})
	commit := b.commit("child", parent)
	b.ref("heads/main", commit)
	b.ref("heads/a/b", parent)
	b.ref("remotes/origin/main", parent)
	b.link("a/b", "refs/heads/alias")
	b.write("outside", []byte(strings.Repeat("0", 63)+"1\n"))
	r := b.open()
	for _, rev := range []string{"main", "main^", "main^^", "a/b", "origin:main", "origin/main", "alias", commit.String(), commit.String()[:5], "", "^",
		"../outside", "heads/../../outside", "../../outside", "origin:../../../outside", strings.Repeat("^", 100)} {
		f.Add(rev)
	}
	f.Fuzz(func(t *testing.T, rev string) {
		got, err := r.Resolve(rev)
		switch {
		case err != nil && !got.IsZero():
			t.Fatalf("%q is %s, and %v", rev, got, err)
		case err == nil && got != commit && got != parent && rev != got.String():
			t.Fatalf("%q is %s", rev, got)
		}
	})
}
