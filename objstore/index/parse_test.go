package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"deployfs/objstore/object"
)

// small is an index with something in each section.
func small(t testing.TB) []byte {
	t.Helper()
	return newMemory().data(t, newFolder(map[string]any{
		"file": regular(0o644, 3, label), "link": symlink("file"), "empty": regular(0o600, 0, hollow),
		"sub": newFolder(map[string]any{"deep": newFolder(nil), "x": regular(0o755, 9)}), "zub": newFolder(nil),
	}))
}

// fix makes the checksum of a changed index right again.
func fix(data []byte) []byte {
	digest := sha256.Sum256(data[atDigest+sha256.Size:])
	copy(data[atDigest:], digest[:])
	return data
}

// exercise asks an index everything that it can be asked.
func exercise(t testing.TB, x *Index) {
	t.Helper()
	x.Root()
	x.HasXattrs()
	x.Xattrs(x.RootAttributes().Xattrs)
	if x.RootAttributes().Mode&object.ModeType != object.ModeDir {
		t.Error("the root is no directory")
	}
	rows := 0
	for d := range x.RootDir() + 1 {
		first, files, folders := x.Entries(d)
		for pos := range files + folders {
			rows++
			exerciseRow(t, x, d, first+Row(pos), pos >= files)
		}
	}
	if rows != x.Len() {
		t.Errorf("%d rows in directories, of %d", rows, x.Len())
	}
}

func exerciseRow(t testing.TB, x *Index, d Dir, r Row, folder bool) {
	t.Helper()
	if err := object.CheckName(x.Name(r)); err != nil {
		t.Error(err)
	}
	x.Sum(r)
	if _, ok := x.Find(d, x.Name(r)); !ok {
		t.Errorf("%q is not found", x.Name(r))
	}
	if !x.Known(r) {
		return
	}
	a := x.Attributes(r)
	x.Xattrs(a.Xattrs)
	x.Meta(r)
	switch {
	case folder:
		if sub := x.Subdir(r); sub >= d {
			t.Errorf("directory %d holds %d", d, sub)
		}
		x.Entries(x.Subdir(r))
	case a.Mode&object.ModeType == object.ModeSymlink:
		x.Target(r)
	default:
		if int64(x.FileSize(r)) < 0 {
			t.Errorf("a file of %d bytes", int64(x.FileSize(r)))
		}
	}
}

func TestCut(t *testing.T) {
	data := small(t)
	for n := range data {
		if x, err := Parse(data[:n:n]); err == nil {
			t.Errorf("%d of %d bytes are an index of %d rows", n, len(data), x.Len())
		}
		if n < headerSize {
			continue
		}
		if x, err := Parse(fix(bytes.Clone(data[:n]))); err == nil {
			t.Errorf("%d of %d bytes with the right checksum are an index of %d rows", n, len(data), x.Len())
		}
	}
	for _, more := range []string{"\x00", strings.Repeat("\x00", 8), "junk"} {
		if _, err := Parse(fix(append(bytes.Clone(data), more...))); err == nil {
			t.Errorf("%q may follow", more)
		}
	}
}

// TestFlipped: every byte is under the checksum, or checked by itself.
func TestFlipped(t *testing.T) {
	data := small(t)
	for i := range data {
		for bit := range 8 {
			data[i] ^= 1 << bit
			if _, err := Parse(data); err == nil {
				t.Errorf("bit %d of byte %d is anything", bit, i)
			}
			data[i] ^= 1 << bit
		}
	}
	exercise(t, parsed(t, data))
}

func parsed(t testing.TB, data []byte) *Index {
	t.Helper()
	x, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestHostile: whatever a writer puts into an index with the right checksum, it
// is refused or answers every question.
func TestHostile(t *testing.T) {
	data, accepted := small(t), 0
	try := func(change func(data []byte)) {
		other := bytes.Clone(data)
		change(other)
		if x, err := Parse(fix(other)); err == nil {
			accepted++
			exercise(t, x)
		}
	}
	for i := range data {
		for _, b := range []byte{0, 1, 0x7f, 0x80, 0xff, data[i] + 1, data[i] - 1} {
			try(func(data []byte) { data[i] = b })
		}
	}
	for i := 0; i+4 <= len(data); i += 4 {
		for _, n := range []uint32{0, 1, 2, 5, 1<<31 - 1, 1 << 31, 1<<32 - 2, 1<<32 - 1} {
			try(func(data []byte) { binary.LittleEndian.PutUint32(data[i:], n) })
		}
	}
	for i := 0; i+8 <= len(data); i += 8 {
		for _, n := range []uint64{0, 1 << 32, 1<<32 | 1, 1<<63 - 1, 1 << 63, 1<<64 - 1, 1<<64 - 8} {
			try(func(data []byte) { binary.LittleEndian.PutUint64(data[i:], n) })
		}
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		try(func(data []byte) {
			for range 1 + random.IntN(4) {
				i, j := random.IntN(len(data)-3), random.IntN(len(data)-3)
				switch random.IntN(3) {
				case 0:
					data[i] = byte(random.Uint32())
				case 1:
					copy(data[i:i+4], data[j:j+4])
				case 2:
					binary.LittleEndian.PutUint32(data[i&^3:], uint32(random.IntN(12)))
				}
			}
		})
	}
	if accepted == 0 {
		t.Error("nothing was accepted, so that nothing was tried")
	}
	t.Logf("%d were accepted", accepted)
}

// TestRefused breaks one rule at a time.
func TestRefused(t *testing.T) {
	data := small(t)
	var c counts
	for i, field := range c.fields() {
		*field = binary.LittleEndian.Uint64(data[atCounts+8*i:])
	}
	s := c.sections()
	x := parsed(t, data)
	// The rows of the root, the last directory: empty, file, link, sub, zub.
	first, _, _ := x.Entries(x.RootDir())
	row := func(pos int) int { return int(s.rows) + (int(first)+pos)*rowSize }
	set32 := func(at int, n uint32) func([]byte) {
		return func(data []byte) { binary.LittleEndian.PutUint32(data[at:], n) }
	}
	set64 := func(at int, n uint64) func([]byte) {
		return func(data []byte) { binary.LittleEndian.PutUint64(data[at:], n) }
	}
	at := func(section uint64, n, size, field int) int { return int(section) + n*size + field }
	fileAttr, linkAttr, subAttr := x.attr(first+1), x.attr(first+2), x.attr(first+3)
	for what, change := range map[string]func(data []byte){
		"foreign magic":                  func(data []byte) { data[0] = 'D' },
		"next version":                   set32(atVersion, version+1),
		"root attribute is none":         set32(atRootAttr, uint32(c.attrs)),
		"root attribute is a file's":     set32(atRootAttr, fileAttr),
		"no directories":                 set64(atCounts+8, 0),
		"too many rows":                  set64(atCounts, c.rows+1),
		"rows beyond all":                set64(atCounts, 1<<60),
		"name out of order":              func(data []byte) { data[int(s.names)+len(x.names)-3] = 'a' },
		"NUL in a name":                  func(data []byte) { data[int(s.names)+len(x.names)-1] = 0 },
		"name that begins later":         set32(row(0), 1<<31),
		"name with a slash":              func(data []byte) { data[int(s.names)+len(x.names)-1] = '/' },
		"no attribute":                   set32(row(1)+4, uint32(c.attrs)),
		"file with a link's":             set32(row(1)+4, linkAttr), // its size is no target
		"file that is a directory":       set32(row(1)+4, subAttr),
		"directory that is a file":       set32(row(3)+4, fileAttr),
		"directory in itself":            set64(row(3)+8, uint64(x.RootDir())),
		"directory that is none":         set64(row(3)+8, 1<<32),
		"file of half all":               set64(row(1)+8, 1<<63),
		"target behind the end":          set64(row(2)+8, 4<<32|1),
		"target of nothing":              set64(row(2)+8, 0),
		"target of all":                  set64(row(2)+8, 1<<64-1),
		"first row of another":           set32(at(s.dirs, int(x.RootDir()), dirSize, 0), 0),
		"one file less":                  set32(at(s.dirs, int(x.RootDir()), dirSize, 4), 2),
		"all files":                      set32(at(s.dirs, int(x.RootDir()), dirSize, 4), 1<<32-1),
		"xattr set that is none":         set32(at(s.attrs, int(fileAttr), attrSize, 12), uint32(c.sets)),
		"device":                         set32(at(s.attrs, int(fileAttr), attrSize, 8), 0o060644),
		"first xattr set is not empty":   set32(at(s.sets, 1, setSize, 0), 6),
		"xattr set before its start":     set32(at(s.sets, 2, setSize, 0), 1<<31),
		"xattr of a size beyond its set": set32(at(s.xattrs, 0, 1, 2), 1000),
		"xattr without a name":           func(data []byte) { moveXattr(data[s.xattrs:], 0) },
		"NUL in the name of an xattr":    func(data []byte) { data[s.xattrs+xattrHead] = 0 },
		"NUL in a target":                func(data []byte) { data[s.targets] = 0 },
		"file and directory of one name": func(data []byte) { // link, sub, zub become subz, subz, ub
			copy(data[int(s.names)+len(x.names)-10:], "subzsubzub")
			set32(row(4), uint32(len(x.names)-2))(data)
		},
		"xattr name of a size beyond all": func(data []byte) { data[s.xattrs], data[s.xattrs+1] = 0xff, 0xff },
	} {
		other := bytes.Clone(data)
		change(other)
		if _, err := Parse(fix(other)); err == nil {
			t.Errorf("%s: it is accepted", what)
		}
	}
}

// moveXattr makes the name of an xattr a part of its value, but for some bytes.
func moveXattr(data []byte, name uint16) {
	all := uint32(binary.LittleEndian.Uint16(data)) + binary.LittleEndian.Uint32(data[2:])
	binary.LittleEndian.PutUint16(data, name)
	binary.LittleEndian.PutUint32(data[2:], all-uint32(name))
}

// FuzzParse makes the checksum of every input right before it is parsed.
func FuzzParse(f *testing.F) {
	f.Add(small(f))
	f.Add(newMemory().data(f, newFolder(nil)))
	f.Add(newMemory().data(f, sample())[:4096])
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < headerSize {
			return
		}
		if x, err := Parse(fix(bytes.Clone(data))); err == nil {
			exercise(t, x)
		}
	})
}
