package object

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// goodNames reports whether names can be those of a list: each good on its own,
// and ascending.
func goodNames(names []string) bool {
	for i, name := range names {
		if name == "" || name == "." || name == ".." || len(name) > 255 || strings.ContainsAny(name, "/\x00") ||
			!utf8.ValidString(name) || i > 0 && names[i-1] >= name {
			return false
		}
	}
	return true
}

// FuzzDirTreeRules makes dirtrees that are in normal form as far as their names
// allow: exactly those whose names follow the rules are accepted. Names are
// separated by "|"; none is no list.
func FuzzDirTreeRules(f *testing.F) {
	for _, names := range [][2]string{
		{"a|b|c", "d|e"}, {"a", "a"}, {"b|a", ""}, {"a|a", ""}, {"..", ""}, {"", ".|x"}, {"a/b", ""}, {"|a", ""}, {"\xff", ""},
		{"B|a|ü", "A|z"}, {"new\nline", "..."}, {strings.Repeat("n", 255), strings.Repeat("n", 256)},
	} {
		f.Add(names[0], names[1])
	}
	f.Fuzz(func(t *testing.T, fileNames, dirNames string) {
		names := [2][]string{}
		for i, text := range []string{fileNames, dirNames} {
			if text != "" {
				names[i] = strings.Split(text, "|")
			}
		}
		var files, dirs list
		for _, name := range names[0] {
			files = append(files, file(name, sum1))
		}
		for _, name := range names[1] {
			dirs = append(dirs, dir(name, sum2, sum1))
		}
		want := goodNames(names[0]) && goodNames(names[1])
		for _, name := range names[0] {
			want = want && !slices.Contains(names[1], name)
		}
		data := dirtree(files, dirs)
		d, err := DecodeDirTree(data)
		if (err == nil) != want {
			t.Fatalf("files %q, directories %q: %v", names[0], names[1], err)
		}
		if err == nil {
			checkFinds(t, d)
			checkAbsent(t, d)
		}
	})
}

// checkAbsent looks for names that lie between those that are there.
func checkAbsent(t *testing.T, d DirTree) {
	t.Helper()
	for i := range d.NumFiles() {
		name, _ := d.File(i)
		for _, other := range []string{string(name) + "\x01", string(name[:len(name)-1])} {
			at, found := d.FindFile([]byte(other))
			if found {
				if same, _ := d.File(at); string(same) != other {
					t.Fatalf("%q is found for %q", same, other)
				}
			}
		}
	}
}
