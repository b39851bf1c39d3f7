package object

import (
	"fmt"
	"strings"
	"testing"

	"deployfs/objstore/gvariant"
)

// decodings is a table of objects for one decoder, by what is special about them.
type decodings map[string][]byte

// refuses fails for each object that decode accepts.
func (list decodings) refuses(t *testing.T, decode func([]byte) error) {
	t.Helper()
	for what, data := range list {
		if decode(data) == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

// accepts fails for each object that decode refuses.
func (list decodings) accepts(t *testing.T, decode func([]byte) error) {
	t.Helper()
	for what, data := range list {
		if err := decode(data); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func decodeCommit(data []byte) error       { _, err := DecodeCommit(data); return err }
func decodeDirTree(data []byte) error      { _, err := DecodeDirTree(data); return err }
func decodeDirMeta(data []byte) error      { _, err := DecodeDirMeta(data); return err }
func decodeFilez(data []byte) error        { _, err := DecodeFilezHeader(data); return err }
func decodeFileXattrs(data []byte) error   { _, err := DecodeXattrs(data); return err }
func decodeUserMetadata(data []byte) error { _, err := DecodeUserMeta(data); return err }

func TestRefuseCommit(t *testing.T) {
	good := commitParts{subject: "s", body: "b", timestamp: 1, root: sum1, rootMeta: sum2}
	with := func(change func(*commitParts)) []byte {
		p := good
		change(&p)
		return p.encode()
	}
	decodings{
		"nothing special":       good.encode(),
		"with a parent":         with(func(p *commitParts) { p.parent = sum2 }),
		"text of several lines": with(func(p *commitParts) { p.body = "a\n\nb ü" }),
		"no text":               with(func(p *commitParts) { p.subject, p.body = "", "" }),
		"one key twice":         with(func(p *commitParts) { p.keys = list{key("a", str("1")), key("a", str("2"))} }),
		"the latest time":       with(func(p *commitParts) { p.timestamp = 1<<64 - 1 }),
	}.accepts(t, decodeCommit)
	decodings{
		"no bytes":               nil,
		"a cut commit":           good.encode()[:40],
		"a byte too much":        append(good.encode(), 0),
		"a parent of 3 bytes":    with(func(p *commitParts) { p.parent = "abc" }),
		"a parent of 33 bytes":   with(func(p *commitParts) { p.parent = sum1 + "x" }),
		"a parent of zeroes":     with(func(p *commitParts) { p.parent = zero }),
		"no root":                with(func(p *commitParts) { p.root = "" }),
		"a root of 31 bytes":     with(func(p *commitParts) { p.root = sum1[1:] }),
		"a root of zeroes":       with(func(p *commitParts) { p.root = zero }),
		"no root dirmeta":        with(func(p *commitParts) { p.rootMeta = "" }),
		"a root dirmeta of zero": with(func(p *commitParts) { p.rootMeta = zero }),
		"an empty metadata key":  with(func(p *commitParts) { p.keys = list{key("a", str("")), key("", str(""))} }),
		"bad UTF-8":              with(func(p *commitParts) { p.subject = "\xff" }),
		"a NUL in the subject":   with(func(p *commitParts) { p.subject = "a\x00b" }),
		"a key of bad UTF-8":     with(func(p *commitParts) { p.keys = list{key("\xc3", str(""))} }),
		"offsets out of range":   append(good.encode()[:len(good.encode())-1], 0xf0),
		"metadata nested 200 deep": with(func(p *commitParts) {
			v := str("x")
			for range 200 {
				v = gvariant.NewVariant(v)
			}
			p.keys = list{key("deep", v)}
		}),
	}.refuses(t, decodeCommit)
}

func TestRefuseDirTree(t *testing.T) {
	one := func(name string) []byte { return dirtree(list{file(name, sum1)}, nil) }
	sub := func(name string) []byte { return dirtree(nil, list{dir(name, sum1, sum2)}) }
	long := strings.Repeat("n", 255)
	decodings{
		"an empty directory":         {0},
		"a name of 255 bytes":        one(long),
		"a name with a newline":      one("a\nb\x01\x7f"),
		"three dots":                 sub("..."),
		"names by bytes, not locale": dirtree(list{file("B", sum1), file("a", sum1), file("a.b", sum1), file("a0", sum1), file("ü", sum1)}, nil),
		"a directory before a file":  dirtree(list{file("b", sum1)}, list{dir("a", sum1, sum2)}),
	}.accepts(t, decodeDirTree)
	decodings{
		"no bytes":                    nil,
		"a file called ..":            one(".."),
		"a directory called ..":       sub(".."),
		"a file called .":             one("."),
		"a name with a slash":         one("a/b"),
		"a slash alone":               sub("/"),
		"an empty name":               one(""),
		"an empty directory name":     sub(""),
		"a name of 256 bytes":         one(long + "n"),
		"a name of bad UTF-8":         one("a\xff"),
		"a NUL in a name":             one("a\x00b"),
		"unsorted files":              dirtree(list{file("b", sum1), file("a", sum1)}, nil),
		"unsorted directories":        dirtree(nil, list{dir("b", sum1, sum2), dir("a", sum1, sum2)}),
		"a file twice":                dirtree(list{file("a", sum1), file("a", sum2)}, nil),
		"a directory twice":           dirtree(nil, list{dir("a", sum1, sum2), dir("a", sum1, sum2)}),
		"a name in both lists":        dirtree(list{file("a", sum1), file("c", sum1)}, list{dir("b", sum1, sum2), dir("c", sum1, sum2)}),
		"a checksum of 3 bytes":       dirtree(list{file("a", "abc")}, nil),
		"a checksum of 33 bytes":      dirtree(list{file("a", sum1+"x")}, nil),
		"no checksum":                 dirtree(list{file("a", "")}, nil),
		"a checksum of zeroes":        dirtree(list{file("a", zero)}, nil),
		"a dirtree of 3 bytes":        dirtree(nil, list{dir("a", "abc", sum2)}),
		"a dirtree of zeroes":         dirtree(nil, list{dir("a", zero, sum2)}),
		"a dirmeta of 3 bytes":        dirtree(nil, list{dir("a", sum1, "abc")}),
		"a dirmeta of zeroes":         dirtree(nil, list{dir("a", sum1, zero)}),
		"an offset outside":           {0xf0},
		"a byte too much":             append(one("a"), 0),
		"a cut tree":                  one("a")[:20],
		"the only offset, changed":    append(one("a")[:len(one("a"))-1], 0xf0),
		"a wider offset than needed":  {0, 0},
		"a checksum that takes more":  dirtree(list{gvariant.NewTuple(str("a"), raw(sum1+sum2))}, nil),
		"a commit instead of a tree":  commitParts{root: sum1, rootMeta: sum2}.encode(),
		"a dirmeta instead of a tree": dirmeta(ModeDir | 0o755),
	}.refuses(t, decodeDirTree)
}

func TestRefuseDirMeta(t *testing.T) {
	mode := func(mode uint32) []byte { return dirmeta(mode) }
	decodings{
		"every permission bit": mode(ModeDir | 0o7777),
		"no permission bit":    mode(ModeDir),
		"an xattr":             dirmeta(ModeDir|0o755, xattr("user.a\x00", "x")),
	}.accepts(t, decodeDirMeta)
	decodings{
		"no bytes":          nil,
		"11 bytes":          mode(ModeDir | 0o755)[:11],
		"a regular file":    mode(ModeRegular | 0o644),
		"a symlink":         mode(ModeSymlink | 0o777),
		"a device":          mode(0o020644),
		"no type":           mode(0o755),
		"bits above a mode": mode(1<<16 | ModeDir | 0o755),
		"unsorted xattrs":   dirmeta(ModeDir|0o755, xattr("user.b\x00", "x"), xattr("user.a\x00", "x")),
		"bits of the host":  gvariant.NewTuple(newBig32(0), newBig32(0), gvariant.NewUint32(ModeDir|0o755), xattrs()).Bytes(),
	}.refuses(t, decodeDirMeta)
}

func TestRefuseXattrs(t *testing.T) {
	of := func(pairs ...gvariant.Value) []byte { return xattrs(pairs...).Bytes() }
	long := strings.Repeat("n", 255)
	decodings{
		"none":                  nil,
		"a binary value":        of(xattr("security.capability\x00", "\x00\xff\x01")),
		"an empty value":        of(xattr("user.a\x00", "")),
		"a name of 255 bytes":   of(xattr(long+"\x00", "x")),
		"a value of 64 KiB":     of(xattr("user.a\x00", strings.Repeat("v", 64<<10))),
		"a name of no UTF-8":    of(xattr("user.\xff\x00", "x")),
		"a prefix of the other": of(xattr("user.a\x00", "x"), xattr("user.a.b\x00", "x"), xattr("user.ab\x00", "x")),
	}.accepts(t, decodeFileXattrs)
	decodings{
		"unsorted names":             of(xattr("user.b\x00", "x"), xattr("user.a\x00", "x")),
		"a name twice":               of(xattr("user.a\x00", "x"), xattr("user.a\x00", "y")),
		"an empty name":              of(xattr("\x00", "x")),
		"no name":                    of(xattr("", "x")),
		"a name without a NUL":       of(xattr("user.a", "x")),
		"a NUL in a name":            of(xattr("user.a\x00b\x00", "x")),
		"two NULs behind a name":     of(xattr("user.a\x00\x00", "x")),
		"a name of 256 bytes":        of(xattr(long+"n\x00", "x")),
		"a value of 64 KiB and more": of(xattr("user.a\x00", strings.Repeat("v", 64<<10+1))),
		"a cut list":                 of(xattr("user.a\x00", "x"))[:4],
	}.refuses(t, decodeFileXattrs)
}

// manyXattrs have names of 8 bytes, with their NULs.
func manyXattrs(n int) (all []gvariant.Value) {
	for i := range n {
		all = append(all, xattr(fmt.Sprintf("u.%05d\x00", i), "x"))
	}
	return all
}

func TestRefuseHeader(t *testing.T) {
	decodings{
		"many xattrs":                header(0, ModeRegular|0o644, 0, "", manyXattrs(8192)...), // 64 KiB of names
		"a regular file":             header(7, ModeRegular|0o6755, 0, ""),
		"a symlink":                  header(0, ModeSymlink|0o777, 0, "target"),
		"a target of 4095 bytes":     header(0, ModeSymlink|0o777, 0, strings.Repeat("t", 4095)),
		"the largest size":           header(1<<63-1, ModeRegular|0o644, 0, ""),
		"a symlink with permissions": header(0, ModeSymlink|0o644, 0, "t"),
	}.accepts(t, decodeFilez)
	decodings{
		"no bytes":                 nil,
		"a cut header":             header(7, ModeRegular|0o644, 0, "")[:20],
		"a byte too much":          append(header(7, ModeRegular|0o644, 0, ""), 0),
		"a character device":       header(0, 0o020666, 0, ""),
		"a block device":           header(0, 0o060666, 0, ""),
		"a fifo":                   header(0, 0o010666, 0, ""),
		"a socket":                 header(0, 0o140666, 0, ""),
		"a directory":              header(0, ModeDir|0o755, 0, ""),
		"no type":                  header(0, 0o644, 0, ""),
		"bits above a mode":        header(0, 1<<16|ModeRegular|0o644, 0, ""),
		"a device number":          header(0, ModeRegular|0o644, 5, ""),
		"a size of 2^63":           header(1<<63, ModeRegular|0o644, 0, ""),
		"a size of 2^64-1":         header(1<<64-1, ModeRegular|0o644, 0, ""),
		"a file with a target":     header(0, ModeRegular|0o644, 0, "t"),
		"a symlink without target": header(0, ModeSymlink|0o777, 0, ""),
		"a target of 4096 bytes":   header(0, ModeSymlink|0o777, 0, strings.Repeat("t", 4096)),
		"a NUL in a target":        header(0, ModeSymlink|0o777, 0, "a\x00b"),
		"a target of bad UTF-8":    header(0, ModeSymlink|0o777, 0, "\xff"),
		"a symlink with content":   header(1, ModeSymlink|0o777, 0, "t"),
		"too many xattrs":          header(0, ModeRegular|0o644, 0, "", manyXattrs(8193)...),
		"unsorted xattrs":          header(0, ModeRegular|0o644, 0, "", xattr("b\x00", "x"), xattr("a\x00", "x")),
		"an xattr without a name":  header(0, ModeRegular|0o644, 0, "", xattr("\x00", "x")),
	}.refuses(t, decodeFilez)
	decodings{
		"unsorted xattrs":   dirmeta(ModeRegular|0o644, xattr("b\x00", "x"), xattr("a\x00", "x")),
		"bits above a mode": dirmeta(1<<16 | ModeRegular | 0o644),
		"no bytes":          nil,
	}.refuses(t, decodeUserMetadata)
}

// TestCheckHeader covers what the serialised forms can't hold, and bare modes can.
func TestCheckHeader(t *testing.T) {
	for _, h := range []Header{
		{Mode: ModeSymlink | 0o777, Target: "a\x00b"},
		{Mode: ModeDir | 0o755},
		{Mode: ModeRegular, Target: "t"},
		{},
	} {
		if h.Check() == nil {
			t.Errorf("%+v: accepted", h)
		}
	}
	if err := (&Header{Mode: ModeSymlink | 0o777, Target: "\xff no UTF-8"}).Check(); err != nil {
		t.Error(err)
	}
}

func TestFilezHeaderSize(t *testing.T) {
	for _, c := range []struct {
		prefix string
		file   int64
		want   int // 0 when it is refused
	}{
		{"0000001a 00000000", 36, 26},
		{"0000001a 00000000", 34, 26},
		{"0000001a 00000000", 33, 0},
		{"0000001a 00000000", 8, 0},
		{"00000000 00000000", 36, 0},
		{"0000001a 00000001", 36, 0},
		{"0000001a 01000000", 36, 0},
		{"ffffffff 00000000", 1 << 40, 0},
		{"00100000 00000000", 1 << 40, MaxHeader},
		{"01000001 00000000", 1 << 40, 0},
	} {
		got, err := FilezHeaderSize([HeaderPrefix]byte(unhex(t, c.prefix)), c.file)
		if got != c.want || (err != nil) != (c.want == 0) {
			t.Errorf("%s in a file of %d bytes: %d, %v, want %d", c.prefix, c.file, got, err, c.want)
		}
	}
}
