package flatpak

import (
	"bytes"
	"fmt"
	"io"
	"math/bits"
	"unicode/utf8"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// maxText bounds the file that describes an application, in bytes.
const maxText = 1 << 20

// description is what a summary tells of a ref.
type description struct {
	sizes
	text   string           // of the file metadata
	sparse []gvariant.Value // entries {sv}, of what few have
}

// describe tells of the commit whose checksum a ref holds.
func (m *measure) describe(checksum string) (d description, err error) {
	sum, err := object.ParseChecksum(checksum)
	if err != nil {
		return d, fmt.Errorf("Invalid rev %s", checksum)
	}
	commit, err := m.repo.Commit(sum)
	if err != nil {
		return d, err
	}
	meta := commit.Metadata
	if v, ok := lookup(meta, "xa.metadata", "s"); ok {
		d.text = v.Str()
	} else if d.text, err = m.metadataFile(commit.Root); err != nil {
		return d, err
	}
	installed, ok := lookup(meta, "xa.installed-size", "t")
	download, ok2 := lookup(meta, "xa.download-size", "t")
	if ok && ok2 {
		d.sizes = sizes{unswapped(installed), unswapped(download)}
	} else if d.sizes, err = m.dir(commit.Root, 1); err != nil {
		return d, err
	}
	d.addSparse(meta)
	return d, nil
}

// addSparse adds the end of life, the kind of token that a download needs, and how
// much comes from elsewhere.
func (d *description) addSparse(meta gvariant.Value) {
	for _, c := range []struct{ key, typ, name string }{
		{"ostree.endoflife", "s", "eol"}, {"ostree.endoflife-rebase", "s", "eolr"}, {"xa.token-type", "i", "tokt"},
	} {
		if v, ok := lookup(meta, c.key, c.typ); ok && (c.typ != "i" || int32(v.Uint32()) >= 0) {
			d.sparse = append(d.sparse, entry(c.name, v))
		}
	}
	extra, ok := lookup(meta, "xa.extra-data-sources", "a(ayttays)")
	if !ok || extra.Len() == 0 {
		return
	}
	var sum sizes
	for i := range extra.Len() {
		source := extra.At(i)
		sum.add(sizes{Installed: unswapped(source.At(2)), Download: unswapped(source.At(1))})
	}
	d.add(sum)
	d.sparse = append(d.sparse, entry("eds", gvariant.NewTuple(gvariant.NewUint32(uint32(extra.Len())), gvariant.NewUint64(sum.Download))))
}

// metadataFile is the text of the file metadata in a root directory, or "" when there
// is none, or no text in it.
func (m *measure) metadataFile(root object.Checksum) (string, error) {
	tree, err := m.repo.DirTree(root)
	if err != nil {
		return "", err
	}
	i, ok := tree.FindFile([]byte("metadata"))
	if !ok {
		return "", nil
	}
	_, sum := tree.File(i)
	content, err := m.repo.Content(sum)
	if err != nil {
		return "", err
	}
	defer content.Close()
	if content.Size() > maxText {
		return "", fmt.Errorf("/metadata: %d bytes are too many", content.Size())
	}
	if h := content.Describe(); h.IsSymlink() {
		return "", nil
	}
	text, err := io.ReadAll(content)
	if err != nil {
		return "", fmt.Errorf("/metadata: %w", err)
	}
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return "", nil
	}
	return string(text), nil
}

// lookup finds a value of one type only.
func lookup(dict gvariant.Value, key, typ string) (gvariant.Value, bool) {
	v, ok := dict.Lookup(key)
	return v, ok && v.Type() == typ
}

func unswapped(v gvariant.Value) uint64 { return bits.ReverseBytes64(v.Uint64()) }
