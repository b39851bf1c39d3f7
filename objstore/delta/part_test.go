package delta

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
)

// inlined is the part as a superblock would hold it.
func (f *forged) inlined() *Part {
	return &Part{Objects: f.objects, inline: f.file()}
}

// rich has each operation: metadata, a whole file, a link, one that is there already, one of pieces
// and one of patches.
func rich(t testing.TB, old string) (f *forged, want map[object.Name]string) {
	f = newForged()
	want = map[object.Name]string{}
	file := func(content string) object.Name {
		name := regular(t, content)
		want[name] = content
		f.makes(name)
		return name
	}
	at, n := f.data(emptyTree)
	f.makes(treeName).op(OpSplice, n, at)
	at, n = f.data(emptyDir)
	f.makes(dirName).op(OpSplice, n, at)

	file("whole")
	at, n = f.data([]byte("whole"))
	f.op(OpSplice, 0, 0, n, at)

	link := object.Header{Mode: 0o120777, Target: "whole"}
	f.makes(object.Name{Checksum: objstore.HeaderChecksum(link), Kind: object.KindFile}).op(OpSplice, 1, 0, n, at)

	source := regular(t, old)
	from, _ := f.data(source.Checksum[:])
	file(old) // it is there
	f.op(OpOpen, 0, 0, uint64(len(old))).op(OpSetSource, from).op(OpWrite, uint64(len(old)), 0).op(OpClose)

	pieces := old[5:100] + "new" + old[100:]
	file(pieces)
	at, n = f.data([]byte("new"))
	f.op(OpOpen, 0, 0, uint64(len(pieces))).op(OpSetSource, from).op(OpWrite, 95, 5)
	f.op(OpUnsetSource).op(OpWrite, n, at)
	f.op(OpSetSource, from).op(OpWrite, uint64(len(old)-100), 100).op(OpUnsetSource).op(OpClose)

	patched := "head" + old[:200] + "tail"
	file(patched)
	at, n = f.data(append(step("", "head", 0), step(strings.Repeat("\x00", 200), "tail", 0)...))
	f.op(OpSetSource, from).op(OpOpen, 0, 0, uint64(len(patched))).op(OpPatch, at, n).op(OpClose).op(OpUnsetSource)

	file("")
	f.op(OpOpen, 0, 0, 0).op(OpClose)
	return f, want
}

func read1(t *testing.T, repo *objstore.Repo, name object.Name) string {
	t.Helper()
	c, err := repo.Content(name.Checksum)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var text strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			return text.String()
		}
	}
}

func TestApplyPart(t *testing.T) {
	old := strings.Repeat("0123456789", 1000)
	for _, mode := range []objstore.Mode{objstore.Archive, objstore.BareUserOnly} {
		repo := newRepo(t, mode)
		put(t, repo, old)
		f, want := rich(t, old)
		p := f.inlined()
		tr := begin(t, repo)
		if held, err := p.Held(tr); held || err != nil {
			t.Errorf("%s: held before: %v, %v", mode, held, err)
		}
		if err := p.Apply(t.Context(), tr, p.inline); err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		if held, err := p.Held(tr); !held || err != nil {
			t.Errorf("%s: held after: %v, %v", mode, held, err)
		}
		if err := tr.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, content := range want {
			if got := read1(t, repo, name); got != content {
				t.Errorf("%s: %s: %q", mode, name, got)
			}
		}
	}
}

// badParts are parts that make hello in some wrong way, and what is said of them.
var badParts = map[string]struct {
	build func(f *forged)
	want  string
}{
	"unknown":          {func(f *forged) { f.op('Z') }, "Unknown opcode 90 at offset 0"},
	"second unknown":   {func(f *forged) { f.op(OpUnsetSource).op(0) }, "Unknown opcode 0 at offset 1"},
	"offset":           {func(f *forged) { f.op(OpSplice, 0, 0, 5, 34) }, "opcode open-splice-and-close: Invalid offset/length 34/5"},
	"offset wraps":     {func(f *forged) { f.op(OpSplice, 0, 0, 6, 1<<64-1) }, "opcode open-splice-and-close: Invalid offset/length 18446744073709551615/6"},
	"length wraps":     {func(f *forged) { f.op(OpSplice, 0, 0, 1<<64-1, 1) }, "Invalid offset/length 1/18446744073709551615"},
	"mode":             {func(f *forged) { f.op(OpSplice, 9, 0, 6, 0) }, "opcode open-splice-and-close: mode 9 of a table of 3"},
	"mode of open":     {func(f *forged) { f.op(OpOpen, 1<<63, 0, 6) }, "opcode open: mode 9223372036854775808 of a table of 3"},
	"xattrs":           {func(f *forged) { f.op(OpOpen, 0, 1, 6) }, "opcode open: xattrs 1 of a table of 1"},
	"device":           {func(f *forged) { f.op(OpSplice, 2, 0, 6, 0) }, "invalid mode 8612"},
	"open link":        {func(f *forged) { f.op(OpOpen, 1, 0, 6) }, "opcode open: invalid mode 41471"},
	"varint":           {func(f *forged) { f.op(OpOpen, 0, 0); f.ops = append(f.ops, 0x80) }, "opcode open: Unexpected EOF reading varint"},
	"long varint":      {func(f *forged) { f.op(OpOpen); f.ops = append(f.ops, strings.Repeat("\xff", 11)...) }, "opcode open: Unexpected EOF reading varint"},
	"content":          {func(f *forged) { f.op(OpSplice, 0, 0, 3, 0) }, "opcode open-splice-and-close: Corrupted file object; checksum expected="},
	"pieces":           {func(f *forged) { f.op(OpOpen, 0, 0, 3).op(OpWrite, 3, 0).op(OpClose) }, "opcode close: Corrupted file object; checksum expected="},
	"too little":       {func(f *forged) { f.op(OpOpen, 0, 0, 6).op(OpWrite, 5, 0).op(OpClose) }, "content is not as long as it was said to be: 1 bytes are missing"},
	"too much":         {func(f *forged) { f.op(OpOpen, 0, 0, 5).op(OpWrite, 6, 0).op(OpClose) }, "content is not as long as it was said to be: there is more"},
	"vast":             {func(f *forged) { f.op(OpOpen, 0, 0, 1<<62).op(OpWrite, 6, 0).op(OpClose) }, "opcode open: min-free-space-percent"},
	"impossible":       {func(f *forged) { f.op(OpOpen, 0, 0, 1<<63).op(OpClose) }, "opcode open: invalid size"},
	"not closed":       {func(f *forged) { f.op(OpOpen, 0, 0, 6).op(OpWrite, 6, 0) }, "opcode open: the file is not closed"},
	"nothing":          {func(*forged) {}, "1 of the part's 1 objects are not made"},
	"one too many":     {func(f *forged) { f.op(OpSplice, 0, 0, 6, 0).op(OpSplice, 0, 0, 6, 0) }, "the part makes no further object"},
	"write first":      {func(f *forged) { f.op(OpWrite, 6, 0) }, "opcode write: no file is open"},
	"close first":      {func(f *forged) { f.op(OpClose) }, "opcode close: no file is open"},
	"opened twice":     {func(f *forged) { f.op(OpOpen, 0, 0, 6).op(OpOpen, 0, 0, 6) }, "opcode open: a file is open already"},
	"patch of nothing": {func(f *forged) { f.op(OpOpen, 0, 0, 6).op(OpPatch, 0, 0) }, "opcode bspatch: no read source is set"},
	"source outside":   {func(f *forged) { f.op(OpSetSource, 7) }, "opcode set-read-source: Invalid offset/length 7/32"},
	"source absent": {func(f *forged) { at, _ := f.data(make([]byte, 32)); f.op(OpSetSource, at) },
		"opcode set-read-source: Opening content object 0000000000000000000000000000000000000000000000000000000000000000: Couldn't find file object"},
	"source short": {func(f *forged) { f.op(OpSetSource, oldAt).op(OpOpen, 0, 0, 6).op(OpWrite, 6, 5) },
		"opcode write: Unexpected EOF reading object "},
	"source wraps": {func(f *forged) { f.op(OpSetSource, oldAt).op(OpOpen, 0, 0, 6).op(OpWrite, 1<<64-1, 2) },
		"opcode write: Unexpected EOF reading object "},
	"wrong patch": {func(f *forged) {
		at, n := f.data(step("", "hello\nmore", 0))
		f.op(OpSetSource, oldAt).op(OpOpen, 0, 0, 6).op(OpPatch, at, n).op(OpClose)
	}, "opcode bspatch: bsdiff patch failed"},
	"vast patch": {func(f *forged) { f.op(OpSetSource, oldAt).op(OpOpen, 0, 0, 1<<20).op(OpPatch, 0, 0) }, "bsdiff patch failed"},
	"xattrs in the blob": {func(f *forged) { f.objects[0].Kind = object.KindDirTree; f.op(OpSplice, 6, 0) },
		"Corrupted dirtree object; checksum expected="},
	"no dirtree": {func(f *forged) {
		f.objects[0] = metadata(object.KindDirTree, []byte("hello\n"))
		f.op(OpSplice, 6, 0)
	}, "not in normal form"},
	"content as metadata": {func(f *forged) { f.objects[0].Kind = object.KindDirMeta; f.op(OpOpen, 0, 0, 6) }, "opcode open: the object is no regular file"},
}

// oldAt is where in the data of badParts the name of the source stands.
const oldAt = 6

func TestBadPart(t *testing.T) {
	for _, mode := range []objstore.Mode{objstore.Archive, objstore.BareUserOnly} {
		repo := newRepo(t, mode)
		old := put(t, repo, "old data")
		for name, c := range badParts {
			f := newForged()
			f.data([]byte("hello\n"))
			f.data(old.Checksum[:])
			f.makes(regular(t, "hello\n"))
			c.build(f)
			err := f.apply(t, repo)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: %v, want %s", mode, name, err, c.want)
			}
		}
		if held, _ := repo.HasObject(regular(t, "hello\n")); held {
			t.Errorf("%s: a wrong part has made its object", mode)
		}
	}
}

func (f *forged) apply(t *testing.T, repo *objstore.Repo) error {
	t.Helper()
	tr, err := transaction.BeginAfresh(t.Context(), repo) // what another part has made is not there
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	p := f.inlined()
	return p.Apply(t.Context(), tr, p.inline)
}

// TestDamagedSource: what is made of damaged content is not right, and the content is named.
func TestDamagedSource(t *testing.T) {
	repo := newRepo(t, objstore.BareUserOnly)
	old := put(t, repo, "old data")
	_, path := repo.ObjectFile(old)
	if err := os.WriteFile(filepath.Join(repo.Path(), "objects", path), []byte("bad data"), 0); err != nil {
		t.Fatal(err)
	}
	f := newForged()
	at, _ := f.data(old.Checksum[:])
	f.makes(regular(t, "old")).op(OpSetSource, at).op(OpOpen, 0, 0, 3).op(OpWrite, 3, 0).op(OpClose)
	want := "opcode close: Opening content object " + old.Checksum.String() + ": Corrupted file object; checksum expected='" + old.Checksum.String()
	if err := f.apply(t, repo); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestPartFile: what is wrong with a part's file before anything is done.
func TestPartFile(t *testing.T) {
	repo := newRepo(t, objstore.Archive)
	tr := begin(t, repo)
	f := newForged().makes(regular(t, "x"))
	good := f.file()
	for want, p := range map[string]struct {
		part Part
		data []byte
	}{
		"Delta part has too new version 1":                        {Part{Version: 1}, good},
		"Checksum mismatch in static delta part; expected=000000": {Part{Objects: f.objects}, good},
		"Reading initial compression flag byte":                   {Part{Objects: f.objects, inline: []byte{}}, nil},
		"Invalid compression type '103'":                          {Part{Objects: f.objects, inline: good}, []byte("g")},
		"Invalid compressed data":                                 {Part{Objects: f.objects, inline: good}, []byte("xnothing")},
		"not in normal form":                                      {Part{Objects: f.objects, inline: good}, good[:len(good)-1]},
	} {
		if err := p.part.Apply(t.Context(), tr, p.data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := f.op(OpUnsetSource).inlined()
	if err := p.Apply(ctx, tr, p.inline); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func FuzzPart(f *testing.F) {
	repo := newRepo(f, objstore.BareUserOnly)
	repo.DisableFsync()
	old := put(f, repo, "old data")
	tr := begin(f, repo)
	for _, c := range badParts {
		g := newForged()
		g.data([]byte("hello\n"))
		g.data(old.Checksum[:])
		g.makes(regular(f, "hello\n"))
		c.build(g)
		f.Add(g.file(), listed(g.objects...))
	}
	g, _ := rich(f, strings.Repeat("0123456789", 1000))
	f.Add(g.file(), listed(g.objects...))
	f.Fuzz(func(t *testing.T, data, objects []byte) {
		names, err := new(Superblock).objects(objects)
		if err != nil {
			return
		}
		p := Part{Objects: names, inline: data}
		_ = p.Apply(t.Context(), tr, data)
		_, _ = p.stats(repo, data)
	})
}
