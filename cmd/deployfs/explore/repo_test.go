package explore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/bits"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

// memory is a repository in memory. It counts what is read.
type memory struct {
	mu       sync.Mutex
	refs     []objstore.Ref
	commits  map[object.Checksum]object.Commit
	trees    map[object.Checksum]object.DirTree
	headers  map[object.Checksum]object.Header
	contents map[object.Checksum]func() Content
	detached map[object.Checksum]gvariant.Value
	read     map[string]int // how often, by method
	absent   error          // what every read answers, when set
}

func newMemory() *memory {
	return &memory{
		commits: map[object.Checksum]object.Commit{}, trees: map[object.Checksum]object.DirTree{},
		headers: map[object.Checksum]object.Header{}, contents: map[object.Checksum]func() Content{},
		detached: map[object.Checksum]gvariant.Value{}, read: map[string]int{},
	}
}

// get is an entry of one of the maps.
func get[T any](r *memory, method string, from map[object.Checksum]T, sum object.Checksum, kind object.Kind) (T, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read[method]++
	v, ok := from[sum]
	switch {
	case r.absent != nil:
		return v, r.absent
	case !ok:
		return v, &object.NotExistError{Object: object.Name{Checksum: sum, Kind: kind}}
	}
	return v, nil
}

func (r *memory) Path() string { return "/srv/repo" }

func (r *memory) Refs() ([]objstore.Ref, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.refs), r.absent
}

func (r *memory) Resolve(rev string) (object.Checksum, error) {
	for _, ref := range r.refs {
		if ref.String() == rev {
			return object.ParseChecksum(ref.Checksum)
		}
	}
	return object.Checksum{}, fmt.Errorf("Refspec '%s' not found", rev)
}

func (r *memory) Commit(sum object.Checksum) (object.Commit, error) {
	return get(r, "commit", r.commits, sum, object.KindCommit)
}

func (r *memory) IsPartial(object.Checksum) bool { return false }

func (r *memory) CommitMeta(sum object.Checksum) (gvariant.Value, bool, error) {
	v, ok := r.detached[sum]
	return v, ok, nil
}

func (r *memory) DirTree(sum object.Checksum) (object.DirTree, error) {
	return get(r, "dirtree", r.trees, sum, object.KindDirTree)
}

func (r *memory) DirMeta(object.Checksum) (object.DirMeta, error) {
	return object.DirMeta{Mode: object.ModeDir | 0o755}, r.absent
}

func (r *memory) Header(sum object.Checksum) (object.Header, error) {
	return get(r, "header", r.headers, sum, object.KindFile)
}

func (r *memory) Open(sum object.Checksum) (Content, error) {
	open, err := get(r, "open", r.contents, sum, object.KindFile)
	if err != nil {
		return nil, err
	}
	return open(), nil
}

// stored is content in memory, or in a file where plain is set.
type stored struct {
	io.Reader
	size  int64
	plain *os.File
	read  int64
}

func (s *stored) Size() int64     { return s.size }
func (s *stored) Plain() *os.File { return s.plain }
func (s *stored) Close() error    { return nil }

func (s *stored) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	s.read += int64(n)
	return n, err
}

// plainMeta is the dirmeta of every directory.
var plainMeta = checksumOf("dirmeta")

func checksumOf(text string) object.Checksum { return sha256.Sum256([]byte(text)) }

// file adds a file, or a symbolic link when content begins with "-> ".
func (r *memory) file(content string) object.Checksum {
	sum := checksumOf("file " + content)
	h := object.Header{Mode: object.ModeRegular | 0o644, Size: uint64(len(content))}
	if target, ok := strings.CutPrefix(content, "-> "); ok {
		h = object.Header{Mode: object.ModeSymlink | 0o777, Target: target}
	}
	r.headers[sum] = h
	r.contents[sum] = func() Content { return &stored{Reader: strings.NewReader(content), size: int64(len(content))} }
	return sum
}

// dir adds a directory; a name that ends with a slash stands for one that is below it.
func (r *memory) dir(entries map[string]object.Checksum) object.Checksum {
	var files, dirs []gvariant.Value
	for _, name := range slices.SortedFunc(maps.Keys(entries), func(a, b string) int {
		return strings.Compare(strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/"))
	}) {
		sum := entries[name]
		if dir, ok := strings.CutSuffix(name, "/"); ok {
			dirs = append(dirs, gvariant.NewTuple(gvariant.NewString(dir), gvariant.NewBytes(sum[:]), gvariant.NewBytes(plainMeta[:])))
		} else {
			files = append(files, gvariant.NewTuple(gvariant.NewString(name), gvariant.NewBytes(sum[:])))
		}
	}
	data := gvariant.NewTuple(gvariant.NewArray("(say)", files...), gvariant.NewArray("(sayay)", dirs...)).Bytes()
	tree, err := object.DecodeDirTree(data)
	if err != nil {
		panic(err)
	}
	sum := object.Checksum(sha256.Sum256(data))
	r.trees[sum] = tree
	return sum
}

// commit adds a commit, at hour n after the beginning.
func (r *memory) commit(n int, parent object.Checksum, subject, body string, root object.Checksum, metadata ...string) object.Checksum {
	var keys []gvariant.Value
	for i := 0; i < len(metadata); i += 2 {
		keys = append(keys, gvariant.NewEntry(gvariant.NewString(metadata[i]), gvariant.NewVariant(gvariant.NewString(metadata[i+1]))))
	}
	up := parent[:]
	if parent.IsZero() {
		up = nil
	}
	data := gvariant.NewTuple(gvariant.NewArray("{sv}", keys...), gvariant.NewBytes(up), gvariant.NewArray("(say)"),
		gvariant.NewString(subject), gvariant.NewString(body), gvariant.NewUint64(bits.ReverseBytes64(1_700_000_000+3600*uint64(n))),
		gvariant.NewBytes(root[:]), gvariant.NewBytes(plainMeta[:])).Bytes()
	c, err := object.DecodeCommit(data)
	if err != nil {
		panic(err)
	}
	sum := object.Checksum(sha256.Sum256(data))
	r.commits[sum] = c
	return sum
}

func (r *memory) ref(name string, sum object.Checksum) {
	spec, _ := refs.Parse(name)
	for i := range r.refs {
		if r.refs[i].Spec == spec {
			r.refs[i].Checksum = sum.String()
			return
		}
	}
	r.refs = append(r.refs, objstore.Ref{Spec: spec, Checksum: sum.String()})
}

// small is a repository as there are many: two refs, three commits.
func small() *memory {
	r := newMemory()
	numbers := ""
	for i := range 500 {
		numbers += fmt.Sprintf("line %d\tof the file\n", i+1)
	}
	etc := map[string]object.Checksum{
		"hostname": r.file("demo\n"), "numbers": r.file(numbers), "binary": r.file("\x7fELF\x02\x01\x00\x00" + strings.Repeat("\x00ab", 100)),
	}
	root := map[string]object.Checksum{"etc/": r.dir(etc), "bin": r.file("-> usr/bin"), "usr/": r.dir(map[string]object.Checksum{"a": r.file("a")})}
	one := r.commit(0, object.Checksum{}, "First steps", "", r.dir(root), "version", "1.0")
	etc["hostname"] = r.file("other\n")
	delete(etc, "binary")
	root["etc/"] = r.dir(etc)
	two := r.commit(24, one, "Another name", "It was asked for.\n\nBy many.", r.dir(root), "version", "1.1")
	root["var/"] = r.dir(nil)
	three := r.commit(48, two, "Room for data", "", r.dir(root), "version", "2.0")
	r.ref("origin:os/main", two)
	r.ref("os/main", three)
	return r
}

// long is a history of n commits, of one empty tree.
func long(n int) *memory {
	r := newMemory()
	root := r.dir(nil)
	var sum object.Checksum
	for i := range n {
		sum = r.commit(i, sum, fmt.Sprintf("commit number %d", i+1), "", root)
	}
	r.ref("long", sum)
	return r
}

// wide is one directory of n files.
func wide(n int) *memory {
	r := newMemory()
	entries := map[string]object.Checksum{}
	for i := range n {
		entries[fmt.Sprintf("file-%06d", i)] = r.file(fmt.Sprint(i % 10))
	}
	r.ref("wide", r.commit(0, object.Checksum{}, "many", "", r.dir(entries)))
	return r
}

// hostile is a repository whose every text tries to do something.
func hostile() *memory {
	const evil = "\x1b]0;owned\x07\x1b[2J\u202egnp.\u009b31m\r\n\x00"
	r := newMemory()
	names := map[string]object.Checksum{
		"\x1b[2J\x1b[H": r.file("\x1b[31mred\r\rblack\x1b[2J\n" + strings.Repeat("x", 20000) + "\xff\xfe\nend"),
		"日本語のファイル名":     r.file("-> \x1b[5m\u202etarget"), "e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301": r.file(""),
		strings.Repeat("long", 60): r.file("日本語\t日本語\t\u0301combined\n"), "👩‍👩‍👧‍👦 family": r.file("\x00\x1b\x07"),
		"gone": checksumOf("no such file"), "missing/": checksumOf("no such directory"), "\u200b": r.file("z"), "dir\n/": r.dir(nil),
	}
	evilText := strings.ReplaceAll(evil, "\x00", "")
	one := r.commit(0, checksumOf("no such parent"), evilText, evilText+strings.Repeat("w", 70000), r.dir(names), "version", evilText, evilText, strings.Repeat("v", 9000))
	delete(names, "gone")
	two := r.commit(1<<50, one, "", "", r.dir(names))
	r.ref("two", two)
	r.ref("one", one)
	r.refs = append(r.refs, objstore.Ref{Spec: refs.Spec{Ref: "broken"}, Checksum: evil}, objstore.Ref{Spec: refs.Spec{Ref: "gone"}, Checksum: checksumOf("gone").String()})
	return r
}

// mountNotes is a mounter that mounts nothing and notes what it was asked for.
type mountNotes struct {
	asked []string
	err   error
}

func (n *mountNotes) Mount(_ context.Context, rev, path, dir string) error {
	n.asked = append(n.asked, fmt.Sprintf("mount %s path=%s at %s", rev, path, dir))
	return n.err
}

func (n *mountNotes) Unmount(dir string) error {
	n.asked = append(n.asked, "unmount "+dir)
	return n.err
}

func TestMemory(t *testing.T) {
	r := small()
	sum, err := r.Resolve("os/main")
	c, err2 := r.Commit(sum)
	if err := errors.Join(err, err2); err != nil || c.Subject != "Room for data" || bytes.Equal(c.Parent[:], make([]byte, 32)) {
		t.Fatal(err, c)
	}
}
