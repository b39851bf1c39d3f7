package main

import (
	"context"
	"fmt"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore/compare"
	"deployfs/objstore/diff"
	"deployfs/objstore/object"
)

// diffJSON is what differs. Parts that are not asked for are absent.
type diffJSON struct {
	Old         string        `json:"old"` // as they were asked for
	New         string        `json:"new"`
	Changes     []changeJSON  `json:"changes,omitzero"`
	Directories []totalsJSON  `json:"directories,omitempty"` // with --stat
	Total       *totalsJSON   `json:"total,omitempty"`
	Objects     *objectsCount `json:"objects,omitempty"` // with --stats
}

// changeJSON is a change; of a renamed entry, old has the old path.
type changeJSON struct {
	Path       string     `json:"path"`
	PathBytes  []byte     `json:"path_bytes,omitempty"`
	Status     string     `json:"status"` // added, removed, modified, type_changed or renamed
	Content    bool       `json:"content_changed"`
	Changed    []attrJSON `json:"attributes_changed,omitempty"`
	Old        *row       `json:"old,omitempty"`
	New        *row       `json:"new,omitempty"`
	Patch      string     `json:"patch,omitempty"` // with --patch
	PatchBytes []byte     `json:"patch_bytes,omitempty"`
}

// attrJSON is mode, owner, group, or an xattr, whose values are bytes.
type attrJSON struct {
	Name     string `json:"name"`
	Old      string `json:"old,omitempty"`
	New      string `json:"new,omitempty"`
	Xattr    bool   `json:"xattr,omitempty"`
	OldBytes []byte `json:"old_bytes,omitempty"`
	NewBytes []byte `json:"new_bytes,omitempty"`
}

type totalsJSON struct {
	Dir          string `json:"path,omitempty"`
	DirBytes     []byte `json:"path_bytes,omitempty"`
	Added        int    `json:"added"` // entries
	Removed      int    `json:"removed"`
	Changed      int    `json:"changed"`
	Renamed      int    `json:"renamed"`
	BytesAdded   uint64 `json:"bytes_added"`
	BytesRemoved uint64 `json:"bytes_removed"`
	BytesBefore  uint64 `json:"bytes_before"` // of files whose content has changed
	BytesAfter   uint64 `json:"bytes_after"`
	Net          int64  `json:"bytes_net"`
}

type objectsCount struct {
	Old         int    `json:"old"`
	New         int    `json:"new"`
	Common      int    `json:"common"`
	CommonBytes uint64 `json:"common_bytes"` // as they are stored
}

// fill puts changes into doc.
func (d *differ) fill(ctx context.Context, doc *diffJSON, list []compare.Change) error {
	doc.Changes = make([]changeJSON, 0, len(list))
	for _, c := range list {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		j, err := d.changeJSON(c)
		if err != nil {
			return contentError(d.repo, err)
		}
		doc.Changes = append(doc.Changes, j)
	}
	if !d.stat {
		return nil
	}
	all, dirs, err := compare.Sum(ctx, list, d.old, d.new)
	doc.Total = new(newTotals(all))
	for _, t := range dirs {
		doc.Directories = append(doc.Directories, newTotals(t))
	}
	return contentError(d.repo, err)
}

// statuses are the kinds of change in words.
var statuses = map[diff.Kind]string{
	diff.Added: "added", diff.Removed: "removed", diff.Modified: "modified", diff.Renamed: "renamed",
}

func (d *differ) changeJSON(c compare.Change) (j changeJSON, err error) {
	j.Path, j.PathBytes = cli.Text(c.Path)
	j.Status = statuses[c.Kind]
	details, err := compare.Describe(c, d.old, d.new)
	if err != nil {
		return j, err
	}
	if details.TypeChanged() {
		j.Status = "type_changed"
	}
	if j.Content, err = details.ContentDiffers(c, d.old, d.new); err != nil {
		return j, err
	}
	j.Old, j.New = nodeRow(c.Old, details.Old), nodeRow(c.New, details.New)
	for _, a := range details.Attributes() {
		j.Changed = append(j.Changed, newAttr(a))
	}
	if d.patch {
		var text string
		text, err = compare.Patch(c, d.old, d.new, d.detail)
		j.Patch, j.PatchBytes = cli.Text(text)
	}
	return j, err
}

func newAttr(a compare.Attribute) attrJSON {
	if a.IsXattr {
		return attrJSON{Name: a.Name, Xattr: true, OldBytes: a.Old, NewBytes: a.New}
	}
	return attrJSON{Name: a.Name, Old: string(a.Old), New: string(a.New)}
}

// nodeRow is one side of a change as ls has it. Checksums of local files are not told.
func nodeRow(n compare.Node, h *object.Header) *row {
	if h == nil {
		return nil
	}
	r := &row{
		Type: compare.TypeName(h.Mode), Mode: fmt.Sprintf("%04o", h.Mode&^object.ModeType),
		UID: h.UID, GID: h.GID, Size: h.Size, Xattrs: jsonXattrs(h.Xattrs),
	}
	r.Path, r.PathBytes = cli.Text(n.Path)
	r.Target, r.TargetBytes = cli.Text(h.Target)
	switch {
	case n.Stat != nil:
	case n.IsDir():
		r.Tree, r.Meta = n.Tree.String(), n.Meta.String()
	default:
		r.Content = n.Content.String()
	}
	return r
}

func newTotals(t compare.Totals) totalsJSON {
	j := totalsJSON{
		Added: t.Added, Removed: t.Removed, Changed: t.Changed, Renamed: t.Renamed,
		BytesAdded: t.BytesAdded, BytesRemoved: t.BytesRemoved, BytesBefore: t.BytesBefore, BytesAfter: t.BytesAfter, Net: t.Net(),
	}
	j.Dir, j.DirBytes = cli.Text(t.Dir)
	return j
}
