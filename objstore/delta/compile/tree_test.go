package compile

import (
	"math/rand/v2"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
)

// tree is files by path; a symbolic link's content begins with "-> ".
type tree map[string]string

// noise is n bytes that don't compress.
func noise(seed uint64, n int) string {
	data := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(seed)}).Read(data)
	return string(data)
}

// trees are an old and a new tree whose files differ in every way.
func trees() (old, new tree) {
	large := noise(3, 120_000)
	old = tree{
		"bin/program": noise(1, 30_000), "bin/other": noise(2, 3000), "lib/large": large, "lib/libx.so.1.0": noise(4, 4000),
		"same": "the same", "gone": "gone", "data.xz": noise(5, 3000), "link": "-> same", "closed": noise(9, 3000),
	}
	new = tree{
		"bin/program": "head" + old["bin/program"][:15_000] + old["bin/program"][15_100:], "moved/other": old["bin/other"] + "tail",
		"lib/large": large[:60_000] + "inserted" + large[60_000:], "lib/libx.so.1.1": old["lib/libx.so.1.0"][10:],
		"same": "the same", "fresh": noise(6, 5000), "empty": "", "data.xz": old["data.xz"] + "x", "link": "-> fresh", "closed": old["closed"] + "x",
		"twice": noise(6, 5000),
	}
	return old, new
}

func newRepo(t testing.TB, mode objstore.Mode) *objstore.Repo {
	t.Helper()
	r, err := objstore.Create(filepath.Join(t.TempDir(), "repo"), objstore.Setup{Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	r.DisableFsync()
	return r
}

// commit writes a tree as a commit.
func commit(t testing.TB, repo *objstore.Repo, files tree) object.Checksum {
	t.Helper()
	tx, err := transaction.Begin(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	w := writer{t, tx}
	c := object.Commit{Metadata: gvariant.NewArray("{sv}"), Subject: "tree", RootMeta: w.metadata(object.KindDirMeta, object.DirMeta{Mode: object.ModeDir | 0o755}.Encode())}
	c.Root = w.dir(files, ".", c.RootMeta)
	sum := w.metadata(object.KindCommit, c.Encode())
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return sum
}

type writer struct {
	t  testing.TB
	tx *transaction.Transaction
}

func (w *writer) metadata(kind object.Kind, data []byte) object.Checksum {
	sum, err := w.tx.WriteMetadata(kind, data)
	if err != nil {
		w.t.Fatal(err)
	}
	return sum
}

// dir writes the directory of that path.
func (w *writer) dir(files tree, at string, meta object.Checksum) object.Checksum {
	var list []object.File
	subs := map[string]bool{}
	for name, content := range files {
		if path.Dir(name) == at {
			list = append(list, object.File{Name: path.Base(name), Content: w.file(path.Base(name), content)})
		}
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if path.Dir(dir) == at {
				subs[dir] = true
			}
		}
	}
	var dirs []object.Dir
	for sub := range subs {
		dirs = append(dirs, object.Dir{Name: path.Base(sub), Tree: w.dir(files, sub, meta), Meta: meta})
	}
	slices.SortFunc(list, func(a, b object.File) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(dirs, func(a, b object.Dir) int { return strings.Compare(a.Name, b.Name) })
	return w.metadata(object.KindDirTree, object.EncodeDirTree(list, dirs))
}

// file writes a file; one called closed is not for everybody to read.
func (w *writer) file(name, content string) object.Checksum {
	h := object.Header{UID: 1, GID: 2, Mode: object.ModeRegular | 0o644, Size: uint64(len(content))}
	if target, ok := strings.CutPrefix(content, "-> "); ok {
		h = object.Header{Mode: object.ModeSymlink | 0o777, Target: target}
		content = ""
	}
	if name == "closed" {
		h.Mode = object.ModeRegular | 0o600
	}
	if name == "program" {
		h.Xattrs = []object.Xattr{{Name: "user.kind", Value: []byte("program")}}
	}
	sum, err := w.tx.WriteContent(h, strings.NewReader(content))
	if err != nil {
		w.t.Fatal(err)
	}
	return sum
}
