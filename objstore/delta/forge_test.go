package delta

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"path/filepath"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
)

// forged is a part in the making.
type forged struct {
	modes   []gvariant.Value
	blob    []byte
	ops     []byte
	objects []object.Name
}

// newForged has the modes 0: 0:0 0100644, 1: 0:0 0120777, 2: a device; and no xattrs.
func newForged() *forged {
	f := &forged{}
	for _, mode := range []uint32{0o100644, 0o120777, 0o020644} {
		f.modes = append(f.modes, gvariant.NewTuple(gvariant.NewUint32(0), gvariant.NewUint32(0), gvariant.NewUint32(bits.ReverseBytes32(mode))))
	}
	return f
}

// op adds an operation.
func (f *forged) op(code byte, args ...uint64) *forged {
	f.ops = append(f.ops, code)
	for _, n := range args {
		f.ops = binary.AppendUvarint(f.ops, n)
	}
	return f
}

// data adds data, and tells where it is.
func (f *forged) data(data []byte) (offset, length uint64) {
	offset = uint64(len(f.blob))
	f.blob = append(f.blob, data...)
	return offset, uint64(len(data))
}

// makes adds an object to those that the part says it makes.
func (f *forged) makes(names ...object.Name) *forged {
	f.objects = append(f.objects, names...)
	return f
}

// file is the part's file, not compressed.
func (f *forged) file() []byte {
	xattrs := gvariant.NewArray("a(ayay)", gvariant.NewArray("(ayay)"))
	v := gvariant.NewTuple(gvariant.NewArray("(uuu)", f.modes...), xattrs, gvariant.NewBytes(f.blob), gvariant.NewBytes(f.ops))
	return append([]byte{packedNot}, v.Bytes()...)
}

func fileHeader(size int) object.Header { return object.Header{Mode: 0o100644, Size: uint64(size)} }

// regular is the name of a regular file 0:0 0644.
func regular(t testing.TB, content string) object.Name {
	t.Helper()
	sum, err := objstore.ContentChecksum(fileHeader(len(content)), strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return object.Name{Checksum: sum, Kind: object.KindFile}
}

func metadata(kind object.Kind, data []byte) object.Name {
	return object.Name{Checksum: sha256.Sum256(data), Kind: kind}
}

func newRepo(t testing.TB, mode objstore.Mode) *objstore.Repo {
	t.Helper()
	r, err := objstore.Create(filepath.Join(t.TempDir(), "repo"), objstore.Setup{Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func begin(t testing.TB, repo *objstore.Repo) *transaction.Transaction {
	t.Helper()
	tr, err := transaction.Begin(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

// put writes a regular file into a repository.
func put(t testing.TB, repo *objstore.Repo, content string) object.Name {
	t.Helper()
	tr := begin(t, repo)
	sum, err := tr.WriteContent(fileHeader(len(content)), strings.NewReader(content))
	if err == nil {
		err = tr.Commit(t.Context())
	}
	if err == nil {
		err = tr.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return object.Name{Checksum: sum, Kind: object.KindFile}
}

// step is one of a bsdiff patch.
func step(diff, extra string, seek int64) []byte {
	var data []byte
	for _, n := range []int64{int64(len(diff)), int64(len(extra)), seek} {
		data = binary.LittleEndian.AppendUint64(data, uint64(max(n, -n))|uint64(n)&(1<<63))
	}
	return append(data, diff+extra...)
}

// block is a superblock in the making.
type block struct {
	metadata  []gvariant.Value // {sv}
	from, to  []byte
	commit    []byte
	parts     []gvariant.Value
	fallbacks []gvariant.Value
}

// newBlock leads to a commit of an empty tree.
func newBlock() *block {
	c := object.Commit{Metadata: gvariant.NewArray("{sv}"), Timestamp: 1, Root: treeName.Checksum, RootMeta: dirName.Checksum}
	b := &block{commit: c.Encode()}
	sum := sha256.Sum256(b.commit)
	b.to = sum[:]
	return b
}

var (
	emptyTree = object.EncodeDirTree(nil, nil)
	emptyDir  = object.DirMeta{Mode: 0o040755}.Encode()
	treeName  = metadata(object.KindDirTree, emptyTree)
	dirName   = metadata(object.KindDirMeta, emptyDir)
)

func (b *block) key(key string, v gvariant.Value) *block {
	b.metadata = append(b.metadata, gvariant.NewEntry(gvariant.NewString(key), gvariant.NewVariant(v)))
	return b
}

func (b *block) part(version uint32, checksum []byte, size, usize uint64, objects []byte) *block {
	b.parts = append(b.parts, gvariant.NewTuple(gvariant.NewUint32(version), gvariant.NewBytes(checksum),
		gvariant.NewUint64(size), gvariant.NewUint64(usize), gvariant.NewBytes(objects)))
	return b
}

// add adds a part with its real sizes.
func (b *block) add(f *forged) *block {
	file := f.file()
	sum := sha256.Sum256(file)
	return b.part(0, sum[:], uint64(len(file)), uint64(len(f.blob)), listed(f.objects...))
}

// listed is a list of objects as a part has it.
func listed(names ...object.Name) (data []byte) {
	for _, name := range names {
		data = append(append(data, byte(name.Kind)), name.Checksum[:]...)
	}
	return data
}

func (b *block) bytes(t testing.TB) []byte {
	t.Helper()
	commit, err := gvariant.Parse(object.CommitType, b.commit)
	if err != nil {
		t.Fatal(err)
	}
	return gvariant.NewTuple(
		gvariant.NewArray("{sv}", b.metadata...), gvariant.NewUint64(bits.ReverseBytes64(7)),
		gvariant.NewBytes(b.from), gvariant.NewBytes(b.to), commit, gvariant.NewBytes(nil),
		gvariant.NewArray("(uayttay)", b.parts...), gvariant.NewArray("(yaytt)", b.fallbacks...),
	).Bytes()
}

// signed is a superblock with one signature.
func signed(superblock []byte, scheme string, signature []byte) []byte {
	list := gvariant.NewArray("ay", gvariant.NewBytes(signature))
	return gvariant.NewTuple(gvariant.NewUint64(bits.ReverseBytes64(signedMagic)), gvariant.NewBytes(superblock),
		gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString(signaturePrefix+scheme), gvariant.NewVariant(list)))).Bytes()
}
