package explore

import tea "charm.land/bubbletea/v2"

// streamed is a list whose rows are read as they are wanted.
type streamed[T any] struct {
	list
	stream[T]
	m       *Model
	waiting *waiting // a search that waits for more rows
}

// came takes what was read, and goes on with a search; false when it is of another stream.
func (s *streamed[T]) came(b batch[T]) bool {
	if !s.add(b) {
		return false
	}
	s.waiting = s.waiting.goOn(s.m, &s.list, s.done)
	if b.err != nil {
		s.m.fail(b.err)
	}
	return true
}

// ask reads on for v, which shows the rows.
func (s *streamed[T]) ask(v view) tea.Cmd {
	if s.waiting != nil {
		return s.more(v, len(s.items)+1)
	}
	return s.more(v, s.wanted())
}

// taken reports whether a key is the list's own. Every key ends a search that waits.
func (s *streamed[T]) taken(key string) bool {
	stopped := s.waiting != nil && (key == "esc" || key == "ctrl+c")
	s.waiting = nil
	if stopped {
		s.m.note("stopped")
	}
	return stopped || s.move(key)
}

func (s *streamed[T]) count() int { return len(s.items) }
func (s *streamed[T]) close()     { s.stream.close() }

func (s *streamed[T]) where() string {
	if s.done {
		return s.list.where()
	}
	return s.list.where() + "+"
}

func (s *streamed[T]) find(q query, how search) tea.Cmd {
	s.waiting = s.m.findStream(&s.list, s.done, q, how)
	return nil
}
