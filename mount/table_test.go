package mount

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseTable(t *testing.T) {
	const data = `22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/root rw,errors=remount-ro
37 22 0:35 / /mnt/a\040b\011\012\134c ro,nosuid,nodev master:2 propagate_from:3 - fuse.deployfs /r,x\043abc\012 ro,user_id=0
38 22 0:36 /sub\040dir /e rw -  ` + `rw
39 22 0:37 / /e rw - fuse.x  rw
40 22 0:38 / /o rw - overlay x rw,lowerdir=/l,upperdir=/a\054b\134,workdir=/w,empty
`
	lines := strings.SplitAfter(data, "\n")
	if _, err := parseTable([]byte(lines[2])); !errors.Is(err, errEntry) {
		t.Errorf("entry without type and source: %v, want %v", err, errEntry)
	}
	got, err := parseTable([]byte(lines[0] + lines[1] + lines[3] + lines[4]))
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{22, 1, Dev{254, 1}, "/", "/", "rw,relatime", "ext4", "/dev/root", "rw,errors=remount-ro"},
		{37, 22, Dev{0, 35}, "/", "/mnt/a b\t\n\\c", "ro,nosuid,nodev", "fuse.deployfs", "/r,x#abc\n", "ro,user_id=0"},
		{39, 22, Dev{0, 37}, "/", "/e", "rw", "fuse.x", "", "rw"},
		{40, 22, Dev{0, 38}, "/", "/o", "rw", "overlay", "x", `rw,lowerdir=/l,upperdir=/a\054b\134,workdir=/w,empty`},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for name, want := range map[string]string{"upperdir": `/a,b\`, "lowerdir": "/l", "empty": ""} {
		if value, ok := got[3].SuperOption(name); !ok || value != want {
			t.Errorf("option %s is %q, %v; want %q", name, value, ok, want)
		}
	}
	if _, ok := got[3].SuperOption("upper"); ok {
		t.Error("option upper is present")
	}
	if n, ok := got[1].Connection(); n != 35 || !ok {
		t.Errorf("connection of a fuse mount is %d, %v", n, ok)
	}
	if _, ok := got[3].Connection(); ok {
		t.Error("an overlay has a connection")
	}
}

func TestParseTableRefuses(t *testing.T) {
	for _, line := range []string{
		"", " - ", "\n", "1 2 3:4 / / rw", "1 2 3:4 / / rw - t s", "1 2 3:4 / rw - t s o", "x 2 3:4 / / rw - t s o",
		"1 -2 3:4 / / rw - t s o", "1 2 3 / / rw - t s o", "1 2 3:99999999999 / / rw - t s o", "1 2 3:4 / / rw - t s o more",
	} {
		if e, err := parseTable([]byte(line + "\n")); !errors.Is(err, errEntry) {
			t.Errorf("%q: got %v, %v", line, e, err)
		}
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		`plain`: "plain", `a\040b`: "a b", `\134\054\012\011\043`: "\\,\n\t#", `\`: `\`, `\04`: `\04`, `\048`: `\048`,
		`\777`: `\777`, `\+12`: `\+12`, `\377`: "\xff", `\\040`: `\ `,
	} {
		if got := unescape(in); got != want {
			t.Errorf("unescape(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	table, err := Table()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/proc"} {
		if e, ok := At(table, path); !ok || e.Mountpoint != path {
			t.Errorf("at %s: %v, %v", path, e, ok)
		}
	}
}

// FuzzTable checks that what is decoded, encoded again as the kernel does it
// and decoded once more, is the same; and that At ends, finding a mount at the
// mountpoint it was asked for or none.
func FuzzTable(f *testing.F) {
	f.Add([]byte("22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/root rw,errors=remount-ro\n"))
	f.Add([]byte("1 1 0:35 / /a\\040\\134 ro master:2 - fuse.deployfs /r,x\\043a\\012 ro\n2 1 0:36 / /a\\040\\134 rw - t  rw\n"))
	f.Add([]byte("1 2 0:1 / /a rw - t s o\n2 1 0:1 / /a rw - t s o\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := parseTable(data)
		if err != nil {
			return
		}
		var text strings.Builder
		for _, e := range table {
			writeEntry(&text, e)
		}
		again, err := parseTable([]byte(text.String()))
		if err != nil || !reflect.DeepEqual(table, again) {
			t.Fatalf("decoded %+v\nagain   %+v, %v", table, again, err)
		}
		for _, e := range table {
			if found, ok := At(table, e.Mountpoint); ok && found.Mountpoint != e.Mountpoint {
				t.Fatalf("found %+v at %q", found, e.Mountpoint)
			}
			e.SuperOption("x")
		}
	})
}
