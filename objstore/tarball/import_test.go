package tarball

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"deployfs/objstore/modify"
	"deployfs/objstore/mtree"
	"deployfs/objstore/object"
)

// TestOwnRules: what ostree takes or crashes at, and we refuse or put right.
func TestOwnRules(t *testing.T) {
	for name, c := range map[string]struct {
		data   []byte
		create bool
		want   string
	}{
		"file, then directory":  {data: tarOf(file("f", "y"), dir("f")), want: "ostree-tar: Failed to handle directory: Can't replace file with directory: f"},
		"parent is a file":      {data: tarOf(file("f", "x"), file("f/g/h", "y")), create: true, want: "ostree-tar: Failed to create parent: Can't replace file with directory: f"},
		"link out of the tree":  {data: tarOf(hard("b", "../b")), want: `While making relative path "../b":Invalid uplink '..' in path ../b`},
		"owner of 64 bits":      {data: tarOf(member{kind: '0', name: "a", uid: 1 << 32}), want: `"a": invalid owner 4294967296`},
		"negative owner":        {data: tarOf(member{kind: '0', name: "a", uid: -1}), want: `"a": invalid owner -1`},
		"file without name":     {data: tarOf(file(".", "x")), want: "ostree-tar: Failed to handle file: ostree-tar: Failed to import file: empty filename"},
		"name that is no text":  {data: tarOf(file("a\xff", "")), want: "ostree-tar: Failed to handle file: ostree-tar: Failed to import file: Invalid UTF-8 in filename a\xff"},
		"xattr with two values": {data: tarOf(xattrs(file("a", ""), "SCHILY.xattr.user.b", "1", "LIBARCHIVE.xattr.user.b", "Mg")), want: `"a": two values for xattr "user.b"`},
		"xattr in no base 64":   {data: tarOf(xattrs(file("a", ""), "LIBARCHIVE.xattr.user.b", "M!")), want: `"a": xattr "user.b": illegal base64 data at input byte 1`},
		"xattr without name":    {data: tarOf(xattrs(file("a", ""), "SCHILY.xattr.", "1")), want: `"a": invalid xattr name ""`},
		"half a file":           {data: retyped(tarOf(file("a", "x")), 'M'), want: `"a": unsupported tar entry of type M`},
		"zip":                   {data: []byte("PK\x03\x04" + strings.Repeat("x", 600)), want: "archives of the format zip can not be read, only tar and cpio"},
		"long path":             {data: tarOf(file(strings.Repeat("a/", 2100)+"b", "")), want: "While making relative path \"" + strings.Repeat("a/", 100) + "\":Path '" + strings.Repeat("a/", 100) + "' is too long"},
		"cpio sum":              {data: []byte(strings.Replace(string(cpioOf("070702", cpioMember{name: "a", body: "abc", mode: 0o100644})), "abc", "abd", 1)), create: true, want: "ostree-tar: Failed to handle file: ostree-tar: Failed to import file: Damaged cpio archive: the sum of a file's bytes is 00000127, not 00000126"},
		"cpio name":             {data: []byte(strings.Replace(string(cpioOf("070701", cpioMember{name: "ab", mode: 0o100644})), "00000003", "ffffffff", 1)), want: "Damaged cpio archive: a name of 4294967295 bytes"},
		"cpio target":           {data: cpioOf("070701", cpioMember{name: "a", body: strings.Repeat("x", 4096), mode: 0o120777}), want: `"a": invalid symlink target of 4096 bytes`},
		"cpio digits":           {data: []byte(strings.Replace(string(cpioOf("070701", cpioMember{name: "a"})), "0000", "00x0", 1)), want: `Damaged cpio archive: strconv.ParseUint: parsing "00x00000": invalid syntax`},
	} {
		_, err := importInto(newMemory(), c.data, Options{AutocreateParents: c.create})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v\nwant %s", name, err, c.want)
		}
	}
	for filter, want := range map[string]string{
		`a,\q`: "--tar-pathname-filter: Error while parsing replacement text “\\q”: unknown escape sequence",
		`a,\`:  `--tar-pathname-filter: Error while parsing replacement text “\”: stray final '\'`,
		`(,b`:  "--tar-pathname-filter: Error while compiling regular expression ‘(’: error parsing regexp: missing closing ): `(`",
	} {
		if _, err := ParseFilter(filter); err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", filter, err, want)
		}
	}
}

// TestCanonical: xattrs are sorted and there once, links have the mode of links.
func TestCanonical(t *testing.T) {
	tx := newMemory()
	link := symlink("l", "x")
	link.mode = 0o644
	if _, err := importInto(tx, tarOf(link, xattrs(file("a", "x"), "LIBARCHIVE.xattr.user.c", "Mw==", "SCHILY.xattr.user.c", "3",
		"SCHILY.xattr.user.b", "2", "SCHILY.xattr.user.a", "1", "SCHILY.xattr.trusted.z", "")), Options{}); err != nil {
		t.Fatal(err)
	}
	for _, h := range tx.headers {
		names := ""
		for _, x := range h.Xattrs {
			names += x.Name + "=" + string(x.Value) + " "
		}
		switch {
		case h.IsSymlink() && h.Mode != 0o120777:
			t.Errorf("a link of mode %o", h.Mode)
		case !h.IsSymlink() && names != "trusted.z= user.a=1 user.b=2 user.c=3 ":
			t.Errorf("xattrs %s", names)
		}
	}
	if len(tx.headers) != 2 {
		t.Errorf("%d objects", len(tx.headers))
	}
}

// TestModifier: paths are those of the tree, and what is skipped need not have a parent.
func TestModifier(t *testing.T) {
	m := &modify.Modifier{NoXattrs: true}
	m.AddSkipList("/sub/skip\n/none/file")
	if err := m.AddStatOverrides("2048 /sub/suid"); err != nil {
		t.Fatal(err)
	}
	data := tarOf(file("skip", "1"), xattrs(file("suid", "2"), "SCHILY.xattr.user.a", "1"), file("kept", "3"), file("other/file", "4"))
	rename := func(path string) string {
		if strings.HasPrefix(path, "other/") {
			return "none/file"
		}
		return "sub/" + path
	}
	tx, root := newMemory(), mtree.New()
	err := Import(t.Context(), tx, strings.NewReader(string(data)), root, m, Options{Rename: rename, AutocreateParents: true})
	if err != nil || m.Unmatched() != nil || len(tx.headers) != 2 {
		t.Errorf("%v, %v, %d objects", err, m.Unmatched(), len(tx.headers))
	}
	for _, h := range tx.headers {
		if len(h.Xattrs) > 0 || h.Mode != 0o100644 && h.Mode != 0o104644 {
			t.Errorf("%o, %d xattrs", h.Mode, len(h.Xattrs))
		}
	}
}

// failing is a repository that takes some objects and then none.
type failing struct {
	*memory
	left int
}

var errFull = errors.New("full")

func (f *failing) WriteContent(h object.Header, content io.Reader) (object.Checksum, error) {
	f.mu.Lock()
	f.left--
	full := f.left < 0
	f.mu.Unlock()
	if full {
		return object.Checksum{}, errFull
	}
	return f.memory.WriteContent(h, content)
}

// TestFailures: the error of a writer comes out, and so does the end of a context.
func TestFailures(t *testing.T) {
	var many []member
	for i := range 100 {
		many = append(many, file(strings.Repeat("x", i+1), strings.Repeat("y", i)))
	}
	data := tarOf(append(many, file("large", large))...)
	for _, left := range []int{0, 1, 50, 100} {
		err := Import(t.Context(), &failing{newMemory(), left}, strings.NewReader(string(data)), mtree.New(), nil, Options{})
		if !errors.Is(err, errFull) {
			t.Errorf("after %d objects: %v", left, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Import(ctx, newMemory(), strings.NewReader(string(data)), mtree.New(), nil, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("in a context that ended: %v", err)
	}
}

// TestDamageBehindTheEnd: a checksum behind the archive is looked at.
func TestDamageBehindTheEnd(t *testing.T) {
	for _, c := range compressed() {
		if c.name != "gzip" && c.name != "zstd" {
			continue
		}
		data := []byte(string(c.data))
		at := len(data) - 1
		if c.name == "gzip" {
			at -= 4 // the size
		}
		data[at] ^= 1
		if _, err := importInto(newMemory(), data, Options{}); err == nil || !strings.Contains(err.Error(), "damaged archive: ") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
