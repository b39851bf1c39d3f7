package flatpak

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// builder writes a bare-user-only repository by hand.
type builder struct {
	testing.TB
	repo *objstore.Repo
}

func build(t testing.TB, config string) builder {
	t.Helper()
	path := filepath.Join(t.TempDir(), "repo")
	repo, err := objstore.Create(path, objstore.Setup{Mode: objstore.BareUserOnly})
	check(t, err)
	data, err := os.ReadFile(path + "/config")
	check(t, err)
	check(t, repo.WriteConfig(append(data, config...)))
	t.Cleanup(func() { repo.Close() })
	return builder{t, repo}
}

func (b builder) put(name object.Name, data []byte) object.Checksum {
	b.Helper()
	_, path := b.repo.ObjectFile(name)
	file := filepath.Join(b.repo.Path(), "objects", path)
	check(b, os.MkdirAll(filepath.Dir(file), 0o755))
	check(b, os.WriteFile(file, data, 0o644))
	return name.Checksum
}

func (b builder) metadata(kind object.Kind, data []byte) object.Checksum {
	b.Helper()
	return b.put(object.Name{Checksum: sha256.Sum256(data), Kind: kind}, data)
}

func (b builder) file(text string) object.Checksum {
	b.Helper()
	h := object.Header{Mode: 0o100644, Size: uint64(len(text))}
	sum, err := objstore.ContentChecksum(h, strings.NewReader(text))
	check(b, err)
	return b.put(object.Name{Checksum: sum, Kind: object.KindFile}, []byte(text))
}

// commit writes a commit of a root directory, and a ref to it.
func (b builder) commit(ref string, root object.Checksum, metadata ...gvariant.Value) {
	b.Helper()
	meta := b.metadata(object.KindDirMeta, object.DirMeta{Mode: 0o40755}.Encode())
	c := object.Commit{Metadata: gvariant.NewArray("{sv}", metadata...), Timestamp: 1, Root: root, RootMeta: meta}
	check(b, b.repo.SetRef(refs.Name{Ref: ref}, b.metadata(object.KindCommit, c.Encode())))
}

// told are the values of what [Metadata] makes, by key.
func (b builder) told() map[string]string {
	b.Helper()
	entries, err := Metadata(b.Context(), b.repo)
	check(b, err)
	found := map[string]string{}
	for _, e := range entries {
		found[e.At(0).Str()] = gvariant.Print(e.At(1).Variant(), false, false)
	}
	return found
}

func TestMetadata(t *testing.T) {
	b := build(t, "[flatpak]\ntitle=T\nunknown=x\ndeploy-collection-id=true\n")
	text := b.file("[Application]\n")
	root := object.EncodeDirTree([]object.File{{Name: "a", Content: text}, {Name: "metadata", Content: text}}, nil)
	b.commit("app/org.example.A/x86_64/1", b.metadata(object.KindDirTree, root))
	b.commit("other", object.Checksum{1})
	b.commit("apple/x", object.Checksum{1})
	b.commit("runtime/org.example.R/x86_64/1", object.Checksum{1}, entry("xa.metadata", gvariant.NewString("m")),
		entry("xa.installed-size", swapped(5)), entry("xa.download-size", swapped(7)), entry("ostree.endoflife", gvariant.NewString("over")))
	got := b.told()
	for key, want := range map[string]string{
		"xa.title": "'T'", "xa.cache-version": "2", "xa.sparse-cache": "{'runtime/org.example.R/x86_64/1': {'eol': <'over'>}}",
		"xa.cache": fmt.Sprintf("<{'app/org.example.A/x86_64/1': (uint64 %d, uint64 %d, '[Application]\\n'), 'runtime/org.example.R/x86_64/1': (%d, %d, 'm')}>",
			swapped(2*512).Uint64(), swapped(2*14).Uint64(), swapped(5).Uint64(), swapped(7).Uint64()),
	} {
		if got[key] != want {
			t.Errorf("%s is %s, want %s", key, got[key], want)
		}
	}
	if len(got) != 4 {
		t.Errorf("told %q", got)
	}
}

// TestMetadataBomb: few objects that make very many paths are counted, and each is read once.
func TestMetadataBomb(t *testing.T) {
	b := build(t, "")
	dir := b.metadata(object.KindDirTree, object.EncodeDirTree([]object.File{{Name: "f", Content: b.file("x")}}, nil))
	meta := b.metadata(object.KindDirMeta, object.DirMeta{Mode: 0o40755}.Encode())
	for range 100 {
		dir = b.metadata(object.KindDirTree, object.EncodeDirTree(nil, []object.Dir{{Name: "a", Tree: dir, Meta: meta}, {Name: "b", Tree: dir, Meta: meta}}))
	}
	b.commit("app/bomb", dir)
	if got, want := b.told()["xa.cache"], "<{'app/bomb': (uint64 18446744073709551615, uint64 18446744073709551615, '')}>"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestMetadataRefused(t *testing.T) {
	for config, want := range map[string]string{
		"gpg-keys=%":                  "config: flatpak.gpg-keys: illegal base64",
		"authenticator-install=maybe": "“authenticator-install”", "deploy-collection-id=2": "“deploy-collection-id”",
	} {
		b := build(t, "[flatpak]\n"+config+"\n")
		if _, err := Metadata(t.Context(), b.repo); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", config, err)
		}
	}
	b := build(t, "")
	b.commit("app/nothing", object.Checksum{1})
	if _, err := Metadata(t.Context(), b.repo); err == nil || !strings.HasPrefix(err.Error(), "app/nothing: ") {
		t.Error(err)
	}
	long := b.file(strings.Repeat("x", maxText+1))
	b.commit("app/nothing", b.metadata(object.KindDirTree, object.EncodeDirTree([]object.File{{Name: "metadata", Content: long}}, nil)))
	if _, err := Metadata(t.Context(), b.repo); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Error(err)
	}
}

func TestDropIndex(t *testing.T) {
	b := build(t, "")
	check(t, DropIndex(b.repo))
	check(t, os.WriteFile(b.repo.Path()+"/summary.idx", nil, 0o644))
	check(t, DropIndex(b.repo))
	if _, err := os.Stat(b.repo.Path() + "/summary.idx"); !os.IsNotExist(err) {
		t.Error(err)
	}
}
