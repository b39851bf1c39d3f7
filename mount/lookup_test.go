package mount

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// escapeTable encodes what the kernel encodes in a mount table.
var escapeTable = strings.NewReplacer(`\`, `\134`, " ", `\040`, "\t", `\011`, "\n", `\012`, "#", `\043`).Replace

func writeEntry(b *strings.Builder, e Entry) {
	fmt.Fprintf(b, "%d %d %s %s %s %s - %s %s %s\n", e.ID, e.Parent, e.Dev, escapeTable(e.Root), escapeTable(e.Mountpoint),
		e.Options, escapeTable(e.Type), escapeTable(e.Source), e.SuperOptions)
}

func TestAt(t *testing.T) {
	entry := func(id, parent int, path string) Entry { return Entry{ID: id, Parent: parent, Mountpoint: path} }
	plain := []Entry{entry(20, 1, "/"), entry(21, 20, "/a"), entry(22, 21, "/a/b"), entry(23, 20, "/c")}
	tests := []struct {
		name  string
		table []Entry
		path  string
		want  int // 0: none
	}{
		{"root", plain, "/", 20},
		{"one deep", plain, "/a", 21},
		{"two deep", plain, "/a/b", 22},
		{"no mountpoint", plain, "/a/c", 0},
		{"prefix of a name", plain, "/ab", 0},
		{"below a mountpoint", plain, "/a/b/c", 0},
		{"stacked", append(plain, entry(30, 22, "/a/b")), "/a/b", 30},
		{"put beneath, listed last", append(plain, entry(31, 21, "/a/b2"), entry(24, 23, "/c"), entry(25, 24, "/c")), "/c", 25},
		{"hidden by a mount nearer to the root", append(plain, entry(40, 21, "/a")), "/a/b", 0},
		{"both hidden and visible", append(plain, entry(40, 21, "/a"), entry(41, 40, "/a/b")), "/a/b", 41},
		{"over the root directory", append(plain, entry(50, 20, "/")), "/c", 23},
		{"chroot without a root mount", []Entry{entry(21, 9, "/a"), entry(22, 21, "/a/b")}, "/a/b", 22},
		{"its own parent", []Entry{entry(1, 1, "/"), entry(2, 1, "/a")}, "/a", 2},
		{"circle", []Entry{entry(1, 2, "/"), entry(2, 1, "/")}, "/", 0},
		{"circle below", append(plain, entry(21, 22, "/a/b")), "/a/b", 21},
		{"empty table", nil, "/", 0},
		{"relative path", plain, "a", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := At(test.table, test.path)
			if got.ID != test.want && ok || ok != (test.want != 0) {
				t.Errorf("got mount %d, %v, want %d", got.ID, ok, test.want)
			}
		})
	}
}

func TestPrefixes(t *testing.T) {
	for path, want := range map[string][]string{
		"/": {"/"}, "/a": {"/", "/a"}, "/a/bc/d": {"/", "/a", "/a/bc", "/a/bc/d"},
	} {
		if got := slices.Collect(prefixes(path)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
