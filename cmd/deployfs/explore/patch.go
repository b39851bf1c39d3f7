package explore

import (
	"context"
	"io"
	"path"
	"strings"

	tea "charm.land/bubbletea/v2"

	"deployfs/objstore/compare"
	"deployfs/objstore/diff"
	"deployfs/objstore/object"
)

// patchView shows what has changed in one file, or with one directory, between two commits.
type patchView struct {
	list
	m      *Model
	of     *diffView
	change diff.Change
}

// patchFound is a change in lines.
type patchFound struct {
	lines lines
	err   error
}

func newPatch(m *Model, of *diffView, change diff.Change) *patchView {
	return &patchView{list: list{rows: lines{}}, m: m, of: of, change: change}
}

func (v *patchView) title() string { return path.Base(v.change.Path) }
func (v *patchView) about() string { return v.of.sides() + ": " + v.change.Path }
func (v *patchView) hints() string { return "v new version  o old version  / search" }

func (v *patchView) start() tea.Cmd {
	return load(v, func() patchFound {
		side := patchSide{repo: v.m.cfg.Repo}
		c := compare.Change{Path: v.change.Path, Kind: v.change.Kind, Old: compare.Node{Entry: v.change.Old}, New: compare.Node{Entry: v.change.New}}
		text, err := compare.Patch(context.Background(), c, side, side, true)
		return patchFound{patchLines(text), err}
	})
}

// patchLines colours a patch as git does.
func patchLines(text string) (out lines) {
	look, body := bold, false
	for l := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		switch {
		case strings.HasPrefix(l, "@@ "):
			look, body = cyan, true
		case strings.HasPrefix(l, "diff --git "):
			look, body = bold, false
		case body && strings.HasPrefix(l, "+"):
			look = green
		case body && strings.HasPrefix(l, "-"):
			look = red
		case body:
			look = ""
		}
		out = append(out, row{{l, look}})
	}
	return out
}

func (v *patchView) update(what any) tea.Cmd {
	if f := what.(patchFound); f.err != nil {
		v.m.fail(f.err)
	} else {
		v.rows = f.lines
	}
	return nil
}

func (v *patchView) need() tea.Cmd { return nil }

func (v *patchView) find(q query, how search) tea.Cmd {
	v.m.findIn(&v.list, q, how)
	return nil
}

func (v *patchView) shown() place { return v.of.shown() }
func (v *patchView) close()       {}

func (v *patchView) key(key string) (tea.Cmd, bool) {
	if v.move(key) {
		return nil, true
	}
	return v.of.version(key, v.change)
}

// patchSide reads what a patch is made of: it is asked for no more.
type patchSide struct {
	compare.Side
	repo Repo
}

// Header is what an entry has beside its content.
func (s patchSide) Header(n compare.Node) (object.Header, error) {
	if n.IsDir() {
		meta, err := s.repo.DirMeta(n.Meta)
		return object.Header{UID: meta.UID, GID: meta.GID, Mode: meta.Mode, Xattrs: meta.Xattrs}, err
	}
	return s.repo.Header(n.Content)
}

// Open opens a file.
func (s patchSide) Open(n compare.Node) (io.ReadCloser, error) { return s.repo.Open(n.Content) }
