package explore

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// prompt asks for a line of text at the bottom of the screen.
type prompt struct {
	label, text string
	change      func(text string) tea.Cmd // as it is typed; may be nil
	done        func(text string) tea.Cmd
}

func (p *prompt) press(m *Model, msg tea.KeyPressMsg) tea.Cmd {
	switch msg.String() {
	case "enter":
		m.prompt = nil
		return p.done(p.text)
	case "esc", "ctrl+c", "ctrl+g":
		m.prompt = nil
		m.note("")
	case "backspace", "ctrl+h":
		if p.text == "" {
			m.prompt = nil
			return nil
		}
		runes := []rune(p.text)
		return p.set(string(runes[:len(runes)-1]))
	case "ctrl+u":
		return p.set("")
	case "ctrl+w":
		cut := strings.LastIndexAny(strings.TrimRight(p.text, "/ "), "/ ") + 1
		return p.set(p.text[:cut])
	default:
		return p.insert(msg.Text)
	}
	return nil
}

// insert adds what was typed or pasted, up to a line break.
func (p *prompt) insert(text string) tea.Cmd {
	text, _, _ = strings.Cut(text, "\n")
	if text == "" {
		return nil
	}
	return p.set(p.text + text)
}

func (p *prompt) set(text string) tea.Cmd {
	p.text = text
	if p.change == nil {
		return nil
	}
	return p.change(text)
}
