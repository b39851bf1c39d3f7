package explore

import (
	"bytes"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// query is text that is looked for. It is found in any case when it has no capital.
type query struct{ text string }

func (q query) folds() bool { return q.text == strings.ToLower(q.text) }

// matches reports whether text has q in it.
func (q query) matches(text string) bool {
	if q.folds() {
		text = strings.ToLower(text)
	}
	return q.text != "" && strings.Contains(text, q.text)
}

// index is where in data q begins, the first time or the last, else -1. Only ASCII letters are folded.
func (q query) index(data []byte, last bool) int {
	if q.folds() {
		data = bytes.Clone(data)
		for i, c := range data {
			if 'A' <= c && c <= 'Z' {
				data[i] = c + 'a' - 'A'
			}
		}
	}
	if last {
		return bytes.LastIndex(data, []byte(q.text))
	}
	return bytes.Index(data, []byte(q.text))
}

// search says how to look for a query.
type search struct {
	direction int  // 1 towards the end, -1 towards the beginning
	here      bool // the place where the view is counts, too
	typing    bool // the query is not finished: what takes long can wait
}

func (m *Model) startSearch() {
	m.prompt = &prompt{
		label: "/",
		change: func(text string) tea.Cmd {
			m.note("")
			return m.view().find(query{text}, search{direction: 1, here: true, typing: true})
		},
		done: func(text string) tea.Cmd {
			if text != "" {
				m.query = query{text}
			}
			return m.view().find(m.query, search{direction: 1, here: true})
		},
	}
}

func (m *Model) searchAgain(direction int) tea.Cmd {
	if m.query.text == "" {
		m.note("nothing to look for yet: / asks what")
		return nil
	}
	return m.view().find(m.query, search{direction: direction})
}

// findIn looks for q in rows that are all there, and goes on at the other end.
func (m *Model) findIn(l *list, q query, how search) {
	from := l.cursor
	if !how.here {
		from += how.direction
	}
	other := 0
	if how.direction < 0 {
		other = l.rows.count() - 1
	}
	switch {
	case q.text == "" || l.find(q, from, how.direction):
	case l.find(q, other, how.direction):
		if !how.typing {
			m.note("found at the other end")
		}
	default:
		m.note("not found: " + q.text)
	}
}

// waiting is a search that goes on when more rows are known.
type waiting struct {
	query query
	from  int
}

// findStream looks for q in a stream's rows; towards the end it has more of them read. It returns
// what is left to do when they are.
func (m *Model) findStream(l *list, done bool, q query, how search) *waiting {
	from := l.cursor
	if !how.here {
		from += how.direction
	}
	switch {
	case q.text == "" || l.find(q, from, how.direction):
	case how.direction > 0 && !done && !how.typing:
		m.note("looking for " + q.text + " …")
		return &waiting{q, l.rows.count()}
	case !done && how.typing:
		m.note("not in what was read so far: Enter looks further")
	case done:
		m.findIn(l, q, how)
	default:
		m.note("not found: " + q.text)
	}
	return nil
}

// goOn looks for what is waited for among new rows; nil when it is found, or can't be.
func (w *waiting) goOn(m *Model, l *list, done bool) *waiting {
	switch {
	case w == nil:
	case l.find(w.query, w.from, 1):
		m.note("")
	case !done:
		return &waiting{w.query, l.rows.count()}
	default:
		m.findIn(l, w.query, search{direction: 1})
	}
	return nil
}
