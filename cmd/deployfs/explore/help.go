package explore

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// Keys are the keys and what they do, a line each, below headings.
const Keys = `Everywhere
  j k, arrows        down, up
  PgDn PgUp          a page; half of one: Ctrl-D Ctrl-U
  g G, Home End      first, last
  Enter, l           open what is under the cursor
  q, Esc, h          back, and out of the first view
  Tab, Shift-Tab     the next, the previous one of the open views
  Q, Ctrl-C          leave the program
  /, n, N            search, the next, the previous place
  < >                sideways
  r                  read again
  m                  mount the commit or directory that is shown
  u                  unmount it, or what was mounted last
  ?                  this list

Refs, log and commit
  Space              mark a commit, two at most; again: unmark it
  d                  compare marked commits, or this one with the
                     marked one, or with its parent
  t, c               the commit's tree, the commit
  p                  in a commit: its parent

Differences
  Enter              what has changed in a file
  v, o               its new version, its old one

Files
  left right         sideways; also h l
  x                  bytes or text
  Esc                stop what takes long`

// keyColumns is where what a key does begins in Keys.
const keyColumns = 21

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
		if strings.HasPrefix(text, " ") {
			out = append(out, row{{text[:keyColumns], yellow}, {text: text[keyColumns:]}})
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
