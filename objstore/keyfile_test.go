package objstore

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const sample = `
# a comment, and blanks that do not matter
 [core]
repo_version = 1
mode=bare-user	
  indented=  value with blanks  
escaped=\sa\tb\nc\\d\re\q
empty=
equals=a=b=c
locking=true
twice=1
[remote "origin"]
url=https://example.org/a#b
branches=a;b;
name[de]=Name

[core]
twice=2
later=yes
[empty group]
`

func TestKeyFile(t *testing.T) {
	f, err := ParseKeyFile([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Groups(); !slices.Equal(got, []string{"core", `remote "origin"`, "empty group"}) {
		t.Errorf("groups %q", got)
	}
	for _, c := range []struct{ group, key, want string }{
		{"core", "repo_version", "1"},
		{"core", "mode", "bare-user\t"},
		{"core", "indented", "value with blanks  "},
		{"core", "escaped", " a\tb\nc\\d\re\\q"},
		{"core", "empty", ""},
		{"core", "equals", "a=b=c"},
		{"core", "twice", "2"},
		{"core", "later", "yes"},
		{`remote "origin"`, "url", "https://example.org/a#b"},
		{`remote "origin"`, "branches", "a;b;"},
		{`remote "origin"`, "name[de]", "Name"},
	} {
		if got, ok := f.Get(c.group, c.key); !ok || got != c.want {
			t.Errorf("%s.%s is %q, %v, want %q", c.group, c.key, got, ok, c.want)
		}
	}
	if raw, ok := f.Raw("core", "escaped"); !ok || raw != `\sa\tb\nc\\d\re\q` {
		t.Errorf("raw value %q, %v", raw, ok)
	}
	for _, absent := range [][2]string{{"core", "nope"}, {"nope", "mode"}, {"empty group", ""}, {"", ""}} {
		if got, ok := f.Get(absent[0], absent[1]); ok || got != "" {
			t.Errorf("%v is %q", absent, got)
		}
	}
	if !f.HasGroup("empty group") || f.HasGroup("nope") || f.Keys("nope") != nil || len(f.Keys("empty group")) > 0 {
		t.Error("groups are confused")
	}
	if keys := f.Keys(`remote "origin"`); !slices.Equal(keys, []string{"url", "branches", "name[de]"}) {
		t.Errorf("keys %q", keys)
	}
}

func TestKeyFileBool(t *testing.T) {
	f, err := ParseKeyFile([]byte("[g]\na=true\nb=1\nc=false\nd=0\ne=true \nf=TRUE\ng=yes\nh=\n"))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"a": true, "b": true, "c": false, "d": false, "e": true} {
		if got, err := f.Bool("g", key, !want); err != nil || got != want {
			t.Errorf("%s is %v, %v", key, got, err)
		}
	}
	for _, key := range []string{"f", "g", "h"} {
		if got, err := f.Bool("g", key, true); err == nil {
			t.Errorf("%s is %v", key, got)
		}
	}
	for _, otherwise := range []bool{true, false} {
		if got, err := f.Bool("g", "absent", otherwise); err != nil || got != otherwise {
			t.Errorf("absent is %v, %v", got, err)
		}
	}
}

func TestKeyFileRefuses(t *testing.T) {
	for _, text := range []string{
		"a=b", "[g]\njunk", "[g\na=b", "[]", "[a]b]", "[a[b]", "[g]\n=b", "[g]\n =b", "[g] x\na=b", "[g]\na[=b", "[a\x01]",
	} {
		if f, err := ParseKeyFile([]byte(text)); err == nil {
			t.Errorf("%q: groups %q", text, f.Groups())
		}
	}
	_, err := ParseKeyFile([]byte("[g]\n" + strings.Repeat("\x1b", 100000)))
	if err == nil || len(err.Error()) > 400 || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("a hostile line: %v", err)
	}
	for _, text := range []string{"", "\n\n", "# only\n", "\r\n[g]\r\na=b\r\n"} {
		if _, err := ParseKeyFile([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestKeyFileLarge: the largest config that is read takes no noticeable time.
func TestKeyFileLarge(t *testing.T) {
	for what, line := range map[string]func(i int) string{
		"keys":   func(i int) string { return "k" + strings.Repeat("x", i%3) + string(rune(0x4e00+i%20000)) + "=\n" },
		"groups": func(i int) string { return "[" + strings.Repeat("x", i%5) + string(rune(0x4e00+i%20000)) + "]\n" },
	} {
		var text strings.Builder
		text.WriteString("[g]\n")
		for i := 0; text.Len() < maxConfig-100; i++ {
			text.WriteString(line(i))
		}
		start := time.Now()
		if _, err := ParseKeyFile([]byte(text.String())); err != nil {
			t.Fatal(what, err)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%s: 1 MiB took %s", what, d)
		}
	}
}

// text serialises a key file again.
func (f *KeyFile) text() []byte {
	var out strings.Builder
	for _, group := range f.Groups() {
		out.WriteString("[" + group + "]\r\n")
		for _, key := range f.Keys(group) {
			raw, _ := f.Raw(group, key)
			out.WriteString(key + "=" + raw + "\r\n")
		}
	}
	return []byte(out.String())
}

// FuzzParseKeyFile: what is accepted reads the same after it was written anew.
func FuzzParseKeyFile(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("[g]\nk=\rv\r\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		once, err := ParseKeyFile(data)
		if err != nil {
			return
		}
		again, err := ParseKeyFile(once.text())
		if err != nil {
			t.Fatalf("%q became %q: %v", data, once.text(), err)
		}
		if !slices.Equal(once.Groups(), again.Groups()) {
			t.Fatalf("groups %q became %q", once.Groups(), again.Groups())
		}
		for _, group := range once.Groups() {
			if !slices.Equal(once.Keys(group), again.Keys(group)) {
				t.Fatalf("keys %q of %q became %q", once.Keys(group), group, again.Keys(group))
			}
			for _, key := range once.Keys(group) {
				before, ok := once.Get(group, key)
				after, same := again.Get(group, key)
				if !ok || !same || before != after {
					t.Fatalf("%q.%q: %q became %q", group, key, before, after)
				}
			}
		}
	})
}
