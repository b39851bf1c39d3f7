package explore

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"deployfs/objstore/object"
)

// press is what a key does.
func (m *Model) press(msg tea.KeyPressMsg) tea.Cmd {
	if m.prompt != nil {
		return m.prompt.press(m, msg)
	}
	m.status = ""
	key := msg.String()
	if cmd, ok := m.view().key(key); ok {
		return cmd
	}
	switch key {
	case "q", "esc", "backspace", "left", "h":
		return m.back()
	case "Q", "ctrl+c":
		return m.quit()
	case "ctrl+z":
		return tea.Suspend
	case "ctrl+l":
		return tea.ClearScreen
	case "tab":
		m.active = (m.active + 1) % len(m.stack)
	case "shift+tab":
		m.active = (m.active + len(m.stack) - 1) % len(m.stack)
	case "?":
		m.help()
	case "r":
		return m.view().start()
	case "/":
		m.startSearch()
	case "n":
		return m.searchAgain(1)
	case "N":
		return m.searchAgain(-1)
	case "m":
		return m.startMount()
	case "u":
		return m.unmount()
	}
	return nil
}

// mark marks a commit, or takes the mark away. Of three the oldest mark goes.
func (m *Model) mark(sum object.Checksum) {
	for i, s := range m.marked {
		if s == sum {
			m.marked = append(m.marked[:i:i], m.marked[i+1:]...)
			return
		}
	}
	m.marked = append(m.marked, sum)
	if len(m.marked) > 2 {
		m.marked = m.marked[1:]
	}
	if len(m.marked) == 2 {
		m.note("two commits are marked: d compares them")
	}
}

// gutter is what stands before a commit: whether it is marked, and as which.
func (m *Model) gutter(sum object.Checksum) span {
	for i, s := range m.marked {
		if s == sum {
			return span{fmt.Sprintf("%d ", i+1), yellow}
		}
	}
	return span{text: "  "}
}

// compare opens what d asks for at a commit: the difference of the marked ones, or of the marked
// one and this, or of its parent and this.
func (m *Model) compare(sum object.Checksum) tea.Cmd {
	switch {
	case len(m.marked) == 2:
		return m.open(newDiff(m, m.marked[0], m.marked[1]))
	case len(m.marked) == 1 && m.marked[0] != sum:
		return m.open(newDiff(m, m.marked[0], sum))
	}
	return m.open(newDiff(m, object.Checksum{}, sum))
}

// short is as much of a checksum as tells commits apart.
func short(sum object.Checksum) string { return sum.String()[:10] }
