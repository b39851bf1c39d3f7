package explore

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// bodyHeight is what the view may fill. On a low screen the keys go first, then the line of titles,
// then that at the bottom.
func (m *Model) bodyHeight() int {
	return m.height - min(3, max(0, m.height-1))
}

// View is the screen: exactly as many lines as it is high, exactly as wide.
func (m *Model) View() tea.View {
	var out []string
	if m.height > 2 {
		out = append(out, m.titles())
	}
	body := m.view().draw(m.width, m.bodyHeight())
	for len(body) < m.bodyHeight() {
		body = append(body, row{}.draw(m.width, 0, ""))
	}
	out = append(out, body...)
	var cursor *tea.Cursor
	if m.height > 1 {
		text, column := m.bottom()
		if column >= 0 {
			cursor = tea.NewCursor(column, len(out))
		}
		out = append(out, text)
	}
	if m.height > 3 {
		out = append(out, row{{m.hints(), dim}}.draw(m.width, 0, ""))
	}
	v := tea.NewView(strings.Join(out, "\n"))
	v.AltScreen, v.Cursor = true, cursor
	v.WindowTitle = printable("deployfs explore: "+m.cfg.Repo.Path(), 0, 200)
	return v
}

const crumb = " › "

// titles are the stack of views. Where they do not fit, those far below the active one go first.
func (m *Model) titles() string {
	texts, total := make([]string, len(m.stack)), 0
	for i, v := range m.stack {
		texts[i] = ansi.Truncate(printable(v.title(), 0, m.width), max(8, m.width/2), "…")
		total += ansi.StringWidth(texts[i]) + ansi.StringWidth(crumb)
	}
	first := 0
	for ; total > m.width && first < m.active; first++ {
		total -= ansi.StringWidth(texts[first]) + ansi.StringWidth(crumb)
	}
	r := row{{text: " "}}
	if first > 0 {
		r = row{{"…" + crumb, dim}}
	}
	for i := first; i < len(texts); i++ {
		look := dim
		if i == m.active {
			look = bold
		}
		r = append(r, span{texts[i], look})
		if i < len(texts)-1 {
			r = append(r, span{crumb, dim})
		}
	}
	return r.draw(m.width, 0, "")
}

// bottom is the line of the prompt, of the last message, or of what the view is; column is where the
// prompt's cursor is, else -1.
func (m *Model) bottom() (text string, column int) {
	if m.prompt != nil {
		text := printable(m.prompt.label+m.prompt.text, 0, 1<<16)
		over := max(0, ansi.StringWidth(text)-m.width+1)
		return row{{text: text}}.draw(m.width, over, ""), ansi.StringWidth(text) - over
	}
	left := span{m.view().about(), bold}
	if m.status != "" {
		left = span{text: m.status}
		if m.failed {
			left = span{"error: " + m.status, red}
		}
	}
	right := m.view().where()
	if len(m.marked) > 0 {
		right = fmt.Sprintf("%d marked  %s", len(m.marked), right)
	}
	if len(m.mounts) > 0 {
		right = fmt.Sprintf("%d mounted  %s", len(m.mounts), right)
	}
	room := m.width - ansi.StringWidth(right) - 3
	if room < 4 {
		return row{{text: " "}, left}.draw(m.width, 0, ""), -1
	}
	return row{{text: " "}, left}.draw(room+1, 0, "") + row{{text: " " + right + " "}}.draw(m.width-room-1, 0, ""), -1
}

func (m *Model) hints() string {
	if m.prompt != nil {
		return " Enter done  Esc never mind"
	}
	return " " + m.view().hints() + "  ? help  q back"
}
