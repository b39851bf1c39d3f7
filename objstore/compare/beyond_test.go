package compare

import (
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore/diff"
	"deployfs/objstore/object"
)

// all is the changes between two sides.
func all(t *testing.T, old, new Side) (list []Change) {
	t.Helper()
	err := Run(context.Background(), old, new, Options{}, func(c Change) error {
		list = append(list, c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// kinds are changes as "A/path" and, of renames, "R/new</old".
func kinds(list []Change) string {
	var got []string
	for _, c := range list {
		text := "ADMR"[c.Kind:c.Kind+1] + c.Path
		if c.Kind == diff.Renamed {
			text += "<" + c.Old.Path
		}
		got = append(got, text)
	}
	return strings.Join(got, " ")
}

func TestRenames(t *testing.T) {
	for name, test := range map[string]struct {
		old, new   map[string]string
		want, live string // where one side is a directory of this machine, if that differs
	}{
		"file":       {map[string]string{"a": "1", "k": "2"}, map[string]string{"b": "1", "k": "2"}, "R/b</a", ""},
		"link":       {map[string]string{"a": "-> x"}, map[string]string{"b": "-> x"}, "R/b</a", ""},
		"same name":  {map[string]string{"d/n": "1", "m": "1"}, map[string]string{"e/n": "1", "d/": ""}, "A/e R/e/n</d/n D/m", ""},
		"names win":  {map[string]string{"d/n": "1", "d/m": "2"}, map[string]string{"a": "1", "d/m": "2", "e/n": "1"}, "A/a A/e R/e/n</d/n", ""},
		"directory":  {map[string]string{"d/n": "1", "d/e/m": "2"}, map[string]string{"z/n": "1", "z/e/m": "2"}, "R/z</d", "D/d D/d/e A/z A/z/e R/z/e/m</d/e/m R/z/n</d/n"},
		"subtree":    {map[string]string{"d/n": "1", "d/e/m": "2"}, map[string]string{"d/n": "1", "q": "2"}, "D/d/e R/q</d/e/m", ""},
		"moved up":   {map[string]string{"d/n": "1", "d/e/m": "2"}, map[string]string{"e/m": "2", "x": "3"}, "D/d D/d/n R/e</d/e A/x", "D/d D/d/e D/d/n A/e R/e/m</d/e/m A/x"},
		"twice":      {map[string]string{"a": "1"}, map[string]string{"b": "1", "c": "1"}, "R/b</a A/c", ""},
		"empty dirs": {map[string]string{"a/": "", "k": "1"}, map[string]string{"b/": "", "k": "1"}, "D/a A/b", ""},
		"changed":    {map[string]string{"a": "1"}, map[string]string{"b": "2"}, "D/a A/b", ""},
		"in place":   {map[string]string{"a": "1", "b": "2"}, map[string]string{"a": "2", "c": "1"}, "M/a D/b A/c", ""},
	} {
		s := newStore(t)
		x, y := plant(t, test.old), plant(t, test.new)
		if test.live == "" {
			test.live = test.want
		}
		for i, sides := range [][2]Side{{s.commit(x, false), s.commit(y, false)}, {s.commit(x, false), s.local(y)}, {s.local(x), s.commit(y, false)}} {
			list, err := Renames(all(t, sides[0], sides[1]), sides[0], sides[1])
			if want := []string{test.want, test.live, test.live}[i]; err != nil || kinds(list) != want {
				t.Errorf("%s, %d: %s, %v, want %s", name, i, kinds(list), err, want)
			}
		}
	}
}

// TestRenamesHashLittle: only files of which one with the same size is gone are hashed.
func TestRenamesHashLittle(t *testing.T) {
	s := newStore(t)
	local := s.local(plant(t, map[string]string{"b": "1", "c": "long", "d": "longer"}))
	commit := s.commit(plant(t, map[string]string{"a": "1", "x": "longest"}), false)
	list, err := Renames(all(t, commit, local), commit, local)
	if err != nil || kinds(list) != "R/b</a A/c A/d D/x" || local.Hashed.Files.Load() != 1 {
		t.Errorf("%s, %v, %d files hashed", kinds(list), err, local.Hashed.Files.Load())
	}
}

func TestDescribe(t *testing.T) {
	s := newStore(t)
	x := plant(t, map[string]string{"mode": "1", "both": "1", "content": "1", "size": "1", "link": "-> a", "type": "1", "d/": ""})
	old := s.commit(x, false)
	for name, content := range map[string]string{"both": "2", "content": "2", "size": "22"} {
		put(t, x, name, content)
	}
	for name, mode := range map[string]os.FileMode{"mode": 0o600, "both": 0o755, "d": 0o700} {
		s.must(os.Chmod(filepath.Join(x, name), mode))
	}
	for name, target := range map[string]string{"link": "-> b", "type": "-> q"} {
		s.must(os.Remove(filepath.Join(x, name)))
		put(t, x, name, target)
	}
	for _, new := range []Side{s.commit(x, false), s.local(x)} {
		var got []string
		for _, c := range all(t, old, new) {
			d, err := Describe(c, old, new)
			s.must(err)
			text := c.Path
			for _, a := range d.Attributes() {
				text += " " + a.String()
			}
			content, err := d.ContentDiffers(c, old, new)
			s.must(err)
			if content {
				text += " content"
			}
			got = append(got, text)
		}
		want := []string{"/both mode 0644 -> 0755 content", "/content content", "/d mode 0755 -> 0700", "/link content", "/mode mode 0644 -> 0600", "/size content", "/type type file -> symlink mode 0644 -> 0777 content"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q\nwant %q", got, want)
		}
	}
}

func TestXattrChanges(t *testing.T) {
	list := func(pairs ...string) (all []object.Xattr) {
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, object.Xattr{Name: pairs[i], Value: []byte(pairs[i+1])})
		}
		return all
	}
	d := Details{
		Old: &object.Header{Mode: 0o100644, UID: 1, Xattrs: list("a", "1", "b", "2", "c", "x\x00", "gone", "")},
		New: &object.Header{Mode: 0o100644, GID: math.MaxUint32, Xattrs: list("b", "2", "c", "y\x1b", "come", "", "d\n", strings.Repeat("z", 300))},
	}
	var got []string
	for _, a := range d.Attributes() {
		got = append(got, a.String())
	}
	want := []string{
		"owner 1 -> 0", "group 0 -> 4294967295", `xattr a removed: "1"`, `xattr c "x" -> "y\x1b"`, `xattr come added: ""`,
		`xattr "d\n" added: "` + strings.Repeat("z", 256) + `"… (300 bytes)`, `xattr gone removed: ""`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestSum(t *testing.T) {
	s := newStore(t)
	old, new := s.commit(plant(t, sample), false), s.commit(plant(t, changed()), false)
	left := MaxListed
	sum := NewSummary(old, new, &left)
	for _, c := range all(t, old, new) {
		s.must(sum.Add(c))
	}
	total, dirs := sum.All, sum.Dirs()
	want := Totals{Added: 4, Removed: 5, Changed: 4, BytesAdded: 2, BytesRemoved: 3, BytesBefore: 3 + 3 + 4, BytesAfter: 3 + 4}
	if total != want || total.Net() != 2-3+7-10 {
		t.Errorf("%+v, %d", total, total.Net())
	}
	var names []string
	for _, d := range dirs {
		names = append(names, d.Dir)
	}
	if got := strings.Join(names, " "); got != "/ /dir/sub /kind /new /old /old/y" {
		t.Error(got)
	}
}

func TestPatch(t *testing.T) {
	s := newStore(t)
	big := strings.Repeat("line\n", maxText/5+1)
	x := plant(t, map[string]string{"t": "a\nb\nc\n", "bin": "\x00a", "big": big, "l": "-> x", "k": "1\n", "with blank": "1\n", "gone": "1", "empty": ""})
	old := s.commit(x, false)
	y := plant(t, map[string]string{"t": "a\nB\nc\n", "bin": "\x00bb", "big": big + "x", "l": "-> y", "k/": "", "with blank": "2\n", "new\t": "1", "empty": ""})
	s.must(os.Chmod(filepath.Join(y, "t"), 0o755))
	new := s.commit(y, false)
	var b strings.Builder
	for _, c := range all(t, old, new) {
		text, err := Patch(context.Background(), c, old, new, false)
		s.must(err)
		b.WriteString(text)
	}
	want := "diff --git a/big b/big\nFiles a/big and b/big differ (4194305 and 4194306 bytes), too large for a text diff\n" +
		"diff --git a/bin b/bin\nBinary files a/bin and b/bin differ (2 and 3 bytes)\n" +
		"diff --git a/gone b/gone\ndeleted file mode 100644\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n\\ No newline at end of file\n" +
		"diff --git a/k b/k\ndeleted file mode 100644\n--- a/k\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n" +
		"diff --git a/l b/l\nindex c1b0730..e25f181 120000\n--- a/l\n+++ b/l\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+y\n\\ No newline at end of file\n" +
		"diff --git \"a/new\\t\" \"b/new\\t\"\nnew file mode 100644\n--- /dev/null\n+++ \"b/new\\t\"\n@@ -0,0 +1 @@\n+1\n\\ No newline at end of file\n" +
		"diff --git a/t b/t\nold mode 100644\nnew mode 100755\n--- a/t\n+++ b/t\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n" +
		"diff --git a/with blank b/with blank\n--- a/with blank\t\n+++ b/with blank\t\n@@ -1 +1 @@\n-1\n+2\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// TestPatchApplies: patch(1) makes the new text of the old.
func TestPatchApplies(t *testing.T) {
	if _, err := exec.LookPath("patch"); err != nil {
		t.Skip("patch is not installed")
	}
	s := newStore(t)
	text := func(every int) string {
		var b strings.Builder
		for i := range 2000 {
			if i%every != 0 {
				b.WriteString(strings.Repeat("x", i%17) + "\n")
			}
		}
		return b.String()
	}
	x := plant(t, map[string]string{"d/f": text(7), "gone": "1\n2\n", "end": "no newline", "name with blank": "1\n"})
	y := plant(t, map[string]string{"d/f": text(5), "new": "1\n", "end": "other\nno newline", "name with blank": "2\n"})
	old, new := s.commit(x, false), s.commit(y, false)
	var b strings.Builder
	for _, c := range all(t, old, new) {
		text, err := Patch(context.Background(), c, old, new, true)
		s.must(err)
		b.WriteString(text)
	}
	cmd := exec.Command("patch", "-p1", "-s", "-E", "-d", x)
	cmd.Stdin = strings.NewReader(b.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := changes(t, new, s.local(x), Options{}); got != "" {
		t.Errorf("after the patch: %s", got)
	}
}

func TestQuote(t *testing.T) {
	for name, want := range map[string]string{
		"plain": "plain", "a b": "a b", "ü/日本": "ü/日本", "-x": "-x",
		"a\tb\n": `"a\tb\n"`, `a"b\`: `"a\"b\\"`, "\x1b[31m": `"\033[31m"`, "\xffü": `"\377ü"`, "\u009b": `"\302\233"`, "\u202e": `"\342\200\256"`, "\ufffd": "\ufffd",
	} {
		if got := Quote(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

func TestByInode(t *testing.T) {
	order := func(inodes ...uint64) (got []uint64) {
		var list []dirent
		for _, n := range inodes {
			list = append(list, dirent{inode: n})
		}
		for _, e := range byInode(list) {
			got = append(got, e.inode)
		}
		return got
	}
	if got := order(3, 1, 2); !slices.Equal(got, []uint64{1, 2, 3}) {
		t.Error(got)
	}
	// A difference of 2^31 looks negative, one of 2^32 like none.
	if got := order(1<<31, 0); !slices.Equal(got, []uint64{1 << 31, 0}) {
		t.Error(got)
	}
	if got := order(1<<32+5, 5); !slices.Equal(got, []uint64{1<<32 + 5, 5}) {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 24, 0, 8, 'a', 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		if list := parse(data); len(list) > len(data)/20+1 {
			t.Errorf("%d names in %d bytes", len(list), len(data))
		}
	})
}
