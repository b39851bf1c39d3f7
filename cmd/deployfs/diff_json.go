package main

import (
	"context"
	"fmt"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore/compare"
	"deployfs/objstore/diff"
	"deployfs/objstore/object"
)

// diffHead comes first, then a list "changes" of changeJSON, then a diffTail. Parts that are not asked
// for are absent.
type diffHead struct {
	Old string `json:"old"` // as they were asked for
	New string `json:"new"`
}

type diffTail struct {
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

// attrJSON is mode, owner, group, or an xattr, whose values are bytes: absent where there is no such
// xattr, and not where its value is empty.
type attrJSON struct {
	Name     string `json:"name"`
	Old      string `json:"old,omitempty"`
	New      string `json:"new,omitempty"`
	Xattr    bool   `json:"xattr,omitempty"`
	OldBytes []byte `json:"old_bytes,omitzero"`
	NewBytes []byte `json:"new_bytes,omitzero"`
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

// writeJSON writes one object, piece by piece: as text a change takes several times what it takes in a
// list.
func (d *differ) writeJSON(ctx context.Context) error {
	var list []compare.Change
	wanted := d.fsDiff || !d.stats
	if wanted {
		done, err := d.open(ctx)
		if err != nil {
			return err
		}
		defer done()
		if list, err = d.list(ctx); err != nil {
			return err
		}
	}
	var tail diffTail
	if d.stats {
		n, err := d.count(ctx)
		if err != nil {
			return err
		}
		tail.Objects = &objectsCount{n.Old, n.New, n.Common, n.CommonBytes}
	}
	if err := d.writeMembers(diffHead{d.from, d.to}, "{\n"); err != nil {
		return err
	}
	if wanted {
		if err := d.writeChanges(ctx, list, &tail); err != nil {
			return contentError(d.repo, err)
		}
	}
	if err := d.writeMembers(tail, ",\n"); err != nil {
		return err
	}
	_, err := d.out().WriteString("\n}\n")
	return err
}

// writeMembers writes the members of an object, if it has any.
func (d *differ) writeMembers(object any, before string) error {
	text, err := indentedJSON(object, "")
	if err != nil || text == "{}" {
		return err
	}
	_, err = d.out().WriteString(before + strings.TrimSuffix(strings.TrimPrefix(text, "{\n"), "\n}"))
	return err
}

// indentedJSON is v as it stands behind an indentation in what [cli.WriteJSON] writes.
func indentedJSON(v any, by string) (string, error) {
	var b strings.Builder
	if err := cli.WriteJSON(&b, v); err != nil {
		return "", err
	}
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\n", "\n"+by), nil
}

// writeChanges writes the list of changes, and counts them for the tail.
func (d *differ) writeChanges(ctx context.Context, list []compare.Change, tail *diffTail) error {
	sum := compare.NewSummary(d.old, d.new, &d.left)
	d.out().WriteString(",\n  \"changes\": [")
	for i, c := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		d.told.Add(1)
		if d.stat {
			if err := sum.Add(c); err != nil {
				return err
			}
		}
		if err := d.writeChange(ctx, c, i == 0); err != nil {
			return err
		}
	}
	if len(list) > 0 {
		d.out().WriteString("\n  ")
	}
	if d.stat {
		tail.Total = new(newTotals(sum.All))
		for _, t := range sum.Dirs() {
			tail.Directories = append(tail.Directories, newTotals(t))
		}
	}
	_, err := d.out().WriteString("]")
	return err
}

func (d *differ) writeChange(ctx context.Context, c compare.Change, first bool) error {
	j, err := d.changeJSON(ctx, c)
	if err != nil {
		return err
	}
	text, err := indentedJSON(j, "    ")
	if err != nil {
		return err
	}
	before := ",\n    "
	if first {
		before = before[1:]
	}
	_, err = d.out().WriteString(before + text)
	return err
}

// statuses are the kinds of change in words.
var statuses = map[diff.Kind]string{
	diff.Added: "added", diff.Removed: "removed", diff.Modified: "modified", diff.Renamed: "renamed",
}

func (d *differ) changeJSON(ctx context.Context, c compare.Change) (j changeJSON, err error) {
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
		text, err = compare.Patch(ctx, c, d.old, d.new, d.detail)
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
