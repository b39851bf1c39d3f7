package explore

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// Keys are the keys and what they do, a line each; a line without a key is a heading.
const Keys = `Everywhere
  j k, arrows        down, up
  PgDn PgUp          a page; also Ctrl-F Ctrl-B, half of one Ctrl-D Ctrl-U
  g G                first, last; also Home End
  Enter              open what is under the cursor; also l and the right arrow
  q, Esc             back, and out of the first view; also h and the left arrow
  Tab, Shift-Tab     the next, the previous one of the open views
  Q, Ctrl-C          leave the program
  /, n, N            search, the next, the previous place
  < >                sideways
  r                  read again
  m                  mount what is shown: a commit, or the directory of a tree
  u                  unmount it, or what was mounted last
  ?                  this list
Refs, log and commit
  Space              mark a commit, two at most, or take the mark away
  d                  what differs: marked commits, or the marked one and this, or parent and this
  t, c               the commit's tree, the commit
  p                  in a commit: its parent
Differences
  Enter              what has changed in a file
  v, o               its new version, its old one
Files
  left right         sideways; also h l
  x                  bytes or text
  Esc                stop what takes long`

// help lists the keys, in a view beside the active one.
func (m *Model) help() {
	if _, ok := m.view().(*helpView); ok {
		return
	}
	m.active++
	m.stack = slices.Insert(m.stack, m.active, newHelp(m))
}

func newHelp(m *Model) view {
	var out lines
	for text := range strings.SplitSeq(Keys, "\n") {
		if key, what, ok := strings.Cut(strings.TrimPrefix(text, "  "), "  "); ok {
			out = append(out, row{{fmt.Sprintf("  %-19s", key), yellow}, {text: strings.TrimSpace(what)}})
		} else {
			out = append(out, row{{text, bold}})
		}
	}
	return &helpView{list: list{rows: out}, m: m}
}

type helpView struct {
	list
	m *Model
}

func (v *helpView) title() string      { return "help" }
func (v *helpView) about() string      { return "keys" }
func (v *helpView) hints() string      { return "j k down and up  / search" }
func (v *helpView) start() tea.Cmd     { return nil }
func (v *helpView) update(any) tea.Cmd { return nil }
func (v *helpView) need() tea.Cmd      { return nil }
func (v *helpView) shown() place       { return place{} }
func (v *helpView) close()             {}

func (v *helpView) key(key string) (tea.Cmd, bool) { return nil, v.move(key) }

func (v *helpView) find(q query, how search) tea.Cmd {
	v.m.findIn(&v.list, q, how)
	return nil
}
