package explore

import (
	"fmt"
	"path"
	"strings"

	tea "charm.land/bubbletea/v2"

	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// treeView lists a directory: its directories, then its files.
type treeView struct {
	list
	m       *Model
	commit  object.Checksum
	dir     tree.Entry // its Tree is zero until the commit is read
	entries object.DirTree
	ready   bool
	facts   map[int]fact // of rows that were on the screen
	loading bool
}

// fact is what a row tells beside the name.
type fact struct {
	mode   uint32
	uid    uint32
	gid    uint32
	size   uint64
	target string
	err    error
}

// maxFacts is how many rows' facts are kept.
const maxFacts = 4096

// dirFound is a directory's content.
type dirFound struct {
	dir     tree.Entry
	entries object.DirTree
	err     error
}

func newTree(m *Model, commit object.Checksum, dir tree.Entry) *treeView {
	v := &treeView{m: m, commit: commit, dir: dir, facts: map[int]fact{}}
	v.list.rows = v
	return v
}

// newTreeOf shows the root directory of a commit.
func newTreeOf(m *Model, commit object.Checksum) *treeView {
	return newTree(m, commit, tree.Entry{Path: "/"})
}

func (v *treeView) title() string { return path.Base(v.dir.Path) }
func (v *treeView) about() string {
	if !v.ready {
		return v.dir.Path
	}
	dirs, files := v.entries.NumDirs(), v.entries.NumFiles()
	return v.dir.Path + " of " + short(v.commit) + ": " + counted(dirs, "directory", "directories") + ", " + counted(files, "file", "files")
}
func (v *treeView) hints() string { return "Enter open  m mount  / search" }

func (v *treeView) start() tea.Cmd {
	dir := v.dir
	return load(v, func() (f dirFound) {
		f.dir = dir
		if f.dir.Tree.IsZero() {
			commit, err := v.m.cfg.Repo.Commit(v.commit)
			if err != nil {
				return dirFound{err: err}
			}
			f.dir = tree.Root(commit)
		}
		f.entries, f.err = v.m.cfg.Repo.DirTree(f.dir.Tree)
		return f
	})
}

func (v *treeView) update(what any) tea.Cmd {
	switch what := what.(type) {
	case dirFound:
		if what.err != nil {
			v.m.fail(what.err)
			return nil
		}
		v.dir, v.entries, v.ready = what.dir, what.entries, true
		clear(v.facts)
	case map[int]fact:
		v.loading = false
		if len(v.facts) > maxFacts {
			clear(v.facts)
		}
		for i, f := range what {
			v.facts[i] = f
		}
	}
	return nil
}

func (v *treeView) count() int {
	if !v.ready {
		return 0
	}
	return v.entries.NumDirs() + v.entries.NumFiles()
}

// entry is what row i stands for.
func (v *treeView) entry(i int) tree.Entry {
	dirs := v.entries.NumDirs()
	if i < dirs {
		name, sum, meta := v.entries.Dir(i)
		return tree.Entry{Path: path.Join(v.dir.Path, string(name)), Tree: sum, Meta: meta}
	}
	name, sum := v.entries.File(i - dirs)
	return tree.Entry{Path: path.Join(v.dir.Path, string(name)), Content: sum}
}

func (v *treeView) row(i int) row {
	e := v.entry(i)
	name := span{text: path.Base(e.Path)}
	if e.IsDir() {
		name = span{name.text + "/", blue}
	}
	f, ok := v.facts[i]
	out := row{{f.columns(v.width, ok && f.err == nil), dim}, name}
	switch {
	case f.err != nil:
		out = append(out, span{"  " + f.err.Error(), red})
	case f.mode&object.ModeType == object.ModeSymlink:
		out[1].style = cyan
		out = append(out, span{" -> ", dim}, span{text: f.target})
	case !e.IsDir() && f.mode&0o111 != 0:
		out[1].style = green
	}
	return out
}

// columns are what stands before the name on a screen of that width.
func (f fact) columns(width int, known bool) string {
	amount := size(f.size)
	if f.mode&object.ModeType == object.ModeDir {
		amount = ""
	}
	text := fmt.Sprintf("%s %5d %5d %6s  ", object.ModeText(f.mode), f.uid, f.gid, amount)
	switch {
	case width < narrow:
		return ""
	case !known:
		return strings.Repeat(" ", len(text))
	}
	return text
}

// need reads the facts of the rows on the screen.
func (v *treeView) need() tea.Cmd {
	if v.loading {
		return nil
	}
	missing := map[int]tree.Entry{}
	from, to := v.seen()
	for i := from; i < to; i++ {
		if _, ok := v.facts[i]; !ok {
			missing[i] = v.entry(i)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	v.loading = true
	return load(v, func() map[int]fact {
		out := map[int]fact{}
		for i, e := range missing {
			out[i] = v.m.cfg.fact(e)
		}
		return out
	})
}

func (c Config) fact(e tree.Entry) fact {
	if e.IsDir() {
		meta, err := c.Repo.DirMeta(e.Meta)
		return fact{mode: meta.Mode, uid: meta.UID, gid: meta.GID, err: err}
	}
	h, err := c.Repo.Header(e.Content)
	return fact{mode: h.Mode, uid: h.UID, gid: h.GID, size: h.Size, target: h.Target, err: err}
}

func (v *treeView) find(q query, how search) tea.Cmd {
	v.m.findIn(&v.list, q, how)
	return nil
}

func (v *treeView) shown() place { return place{v.commit.String(), inside(v.dir.Path)} }
func (v *treeView) close()       {}

func (v *treeView) key(key string) (tea.Cmd, bool) {
	if v.move(key) {
		return nil, true
	}
	if key != "enter" && key != "right" && key != "l" || v.cursor >= v.count() {
		return nil, false
	}
	return v.m.openEntry(v.commit, v.entry(v.cursor)), true
}

// openEntry opens a directory or a file of a commit.
func (m *Model) openEntry(commit object.Checksum, e tree.Entry) tea.Cmd {
	if e.IsDir() {
		return m.open(newTree(m, commit, e))
	}
	return m.open(newFile(m, commit, e))
}
