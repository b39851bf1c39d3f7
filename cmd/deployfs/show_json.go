package main

import (
	"fmt"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore/facts"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// fileJSON is a content object in JSON.
type fileJSON struct {
	Type        string  `json:"type"` // "file" or "symlink"
	Checksum    string  `json:"checksum"`
	Mode        string  `json:"mode"` // octal, without the type
	UID         uint32  `json:"uid"`
	GID         uint32  `json:"gid"`
	Size        uint64  `json:"size"`
	Target      string  `json:"target,omitempty"`
	TargetBytes []byte  `json:"target_bytes,omitempty"`
	Xattrs      []xattr `json:"xattrs,omitempty"`
}

func newFileJSON(sum object.Checksum, h object.Header) fileJSON {
	j := fileJSON{
		Type: "file", Checksum: sum.String(), Mode: fmt.Sprintf("%04o", h.Mode&^object.ModeType),
		UID: h.UID, GID: h.GID, Size: h.Size, Xattrs: jsonXattrs(h.Xattrs),
	}
	if h.IsSymlink() {
		j.Type = "symlink"
		j.Target, j.TargetBytes = cli.Text(h.Target)
	}
	return j
}

// dirMetaJSON is a dirmeta in JSON.
type dirMetaJSON struct {
	Type     string  `json:"type"` // "dirmeta"
	Checksum string  `json:"checksum"`
	Mode     string  `json:"mode"`
	UID      uint32  `json:"uid"`
	GID      uint32  `json:"gid"`
	Xattrs   []xattr `json:"xattrs,omitempty"`
}

// dirTreeJSON is a dirtree in JSON.
type dirTreeJSON struct {
	Type     string          `json:"type"` // "dirtree"
	Checksum string          `json:"checksum"`
	Files    []treeEntryJSON `json:"files"`
	Dirs     []treeEntryJSON `json:"dirs"`
}

type treeEntryJSON struct {
	Name      string `json:"name"`
	NameBytes []byte `json:"name_bytes,omitempty"`
	Content   string `json:"content,omitempty"`
	Tree      string `json:"dirtree,omitempty"`
	Meta      string `json:"dirmeta,omitempty"`
}

func newDirTreeJSON(sum object.Checksum, d object.DirTree) dirTreeJSON {
	j := dirTreeJSON{Type: "dirtree", Checksum: sum.String(), Files: []treeEntryJSON{}, Dirs: []treeEntryJSON{}}
	for i := range d.NumFiles() {
		name, content := d.File(i)
		text, exact := cli.Text(string(name))
		j.Files = append(j.Files, treeEntryJSON{Name: text, NameBytes: exact, Content: content.String()})
	}
	for i := range d.NumDirs() {
		name, tree, meta := d.Dir(i)
		text, exact := cli.Text(string(name))
		j.Dirs = append(j.Dirs, treeEntryJSON{Name: text, NameBytes: exact, Tree: tree.String(), Meta: meta.String()})
	}
	return j
}

// objectJSON prints a commit, dirtree or dirmeta as JSON.
func (s *shower) objectJSON(name object.Name, data []byte) (err error) {
	var j any
	switch name.Kind {
	case object.KindCommit:
		var commit object.Commit
		if commit, err = object.DecodeCommit(data); err == nil {
			j, err = s.commitJSON(name.Checksum, commit, data)
		}
	case object.KindDirTree:
		var d object.DirTree
		d, err = object.DecodeDirTree(data)
		j = newDirTreeJSON(name.Checksum, d)
	case object.KindDirMeta:
		var m object.DirMeta
		m, err = object.DecodeDirMeta(data)
		j = dirMetaJSON{"dirmeta", name.Checksum.String(), fmt.Sprintf("%04o", m.Mode&^object.ModeType), m.UID, m.GID, jsonXattrs(m.Xattrs)}
	}
	if err != nil {
		return object.Corrupt(name, err)
	}
	return cli.WriteJSON(s.out, j)
}

// commitJSON is a commit in JSON, with its signatures checked.
func (s *shower) commitJSON(sum object.Checksum, commit object.Commit, data []byte) (facts.Commit, error) {
	j, err := facts.Of(s.repo, sum, commit)
	if err != nil {
		return j, err
	}
	detached, _, err := s.repo.CommitMeta(sum)
	if err != nil {
		return j, err
	}
	checked, others, err := s.verdictsJSON(data, detached)
	if checked != nil {
		j.Signatures = checked
	}
	j.OtherSignatures = others
	return j, err
}

// verdictsJSON is what the signatures of data that an a{sv} holds are worth; nil where there are none.
func (s *shower) verdictsJSON(data []byte, detached gvariant.Value) (checked []facts.GPGSignature, others []facts.Signature, err error) {
	results, err := s.checkGPG(data, detached)
	if results != nil {
		checked = facts.Checked(results)
	}
	if err != nil {
		return checked, nil, err
	}
	list, err := s.checkOthers(data, detached)
	return checked, othersJSON(list), err
}
