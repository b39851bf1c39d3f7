package main

import (
	"fmt"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// row is a listed entry.
type row struct {
	Path        string  `json:"path"`
	PathBytes   []byte  `json:"path_bytes,omitempty"`
	Type        string  `json:"type"` // file, directory or symlink
	Mode        string  `json:"mode"` // octal, without the type
	UID         uint32  `json:"uid"`
	GID         uint32  `json:"gid"`
	Size        uint64  `json:"size"`
	Target      string  `json:"target,omitempty"`
	TargetBytes []byte  `json:"target_bytes,omitempty"`
	Content     string  `json:"content,omitempty"`
	Tree        string  `json:"dirtree,omitempty"`
	Meta        string  `json:"dirmeta,omitempty"`
	Xattrs      []xattr `json:"xattrs,omitempty"`
}

// xattr is an extended attribute in JSON.
type xattr struct {
	Name      string `json:"name"`
	NameBytes []byte `json:"name_bytes,omitempty"`
	Value     []byte `json:"value"`
}

func newRow(e tree.Entry, h object.Header) row {
	r := row{Mode: fmt.Sprintf("%04o", h.Mode&^object.ModeType), UID: h.UID, GID: h.GID, Size: h.Size, Xattrs: jsonXattrs(h.Xattrs)}
	r.Path, r.PathBytes = cli.Text(e.Path)
	switch {
	case e.IsDir():
		r.Type, r.Tree, r.Meta = "directory", e.Tree.String(), e.Meta.String()
	case h.IsSymlink():
		r.Type, r.Content = "symlink", e.Content.String()
		r.Target, r.TargetBytes = cli.Text(h.Target)
	default:
		r.Type, r.Content = "file", e.Content.String()
	}
	return r
}

func jsonXattrs(list []object.Xattr) []xattr {
	var all []xattr
	for _, x := range list {
		name, exact := cli.Text(x.Name)
		all = append(all, xattr{name, exact, x.Value})
	}
	return all
}
