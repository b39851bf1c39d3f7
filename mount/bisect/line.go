package bisect

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"deployfs/objstore/halving"
	"deployfs/objstore/history"
	"deployfs/objstore/object"
)

// Step is how far a search has come.
type Step struct {
	Bad     object.Checksum   // zero when none is known
	Good    []object.Checksum // the nearest one, when it is known
	Waiting bool              // not enough is known
	halving.Verdict
	Test     object.Checksum   // to be tested, unless it waits, is found or stuck
	Suspects []object.Checksum // when stuck, those that may be the first bad one, newest first
}

// line is the commits from a bad one, which comes first, on to a good one, as far
// as they were read.
type line struct {
	repo    history.Repo
	commits []object.Checksum
}

// marks are what is known of each commit; of those that were marked twice, the
// last mark counts.
type marks struct {
	of    map[object.Checksum]Kind
	order []object.Checksum // as they were first marked
}

func newMarks(log []Mark) (m marks, err error) {
	m.of = map[object.Checksum]Kind{}
	for _, mark := range log {
		if mark.Is == First {
			continue
		}
		sum, err := object.ParseChecksum(mark.Commit)
		if err != nil {
			return m, fmt.Errorf("state of the bisect: %w", err)
		}
		if _, known := m.of[sum]; !known {
			m.order = append(m.order, sum)
		}
		m.of[sum] = mark.Is
	}
	return m, nil
}

func (m *marks) all(is Kind) (list []object.Checksum) {
	for _, sum := range m.order {
		if m.of[sum] == is {
			list = append(list, sum)
		}
	}
	return list
}

// lost is a commit whose last mark has left none good or none bad of those that
// were said to be: zero when there is no such commit.
func (m *marks) lost(log []Mark) (sum object.Checksum) {
	for _, mark := range log {
		if (mark.Is == Good || mark.Is == Bad) && len(m.all(mark.Is)) == 0 {
			sum, _ = object.ParseChecksum(mark.Commit)
		}
	}
	return sum
}

// BothError says that one commit was said to be good and bad.
type BothError struct{ Commit object.Checksum }

func (e *BothError) Error() string {
	return fmt.Sprintf("commit %s was said to be good and to be bad", e.Commit)
}

// Hint is the remedy.
func (*BothError) Hint() string {
	return "name another one first; `deployfs bisect log` shows what was said, `deployfs bisect reset` begins anew"
}

// step finds out what follows from a log.
func (l *line) step(ctx context.Context, log []Mark) (s Step, err error) {
	m, err := newMarks(log)
	if err != nil {
		return s, err
	}
	bad, good := m.all(Bad), m.all(Good)
	if len(bad) == 0 || len(good) == 0 {
		s.Waiting, s.Good = true, good
		if len(bad) > 0 {
			s.Bad = bad[0]
		}
		return s, nil
	}
	places, err := l.places(ctx, bad[0], m)
	for i := 1; i < len(bad) && errors.As(err, new(*MistakenError)); i++ { // the newest leads to all others
		if p, e := l.places(ctx, bad[i], m); e == nil {
			places, err = p, nil
		}
	}
	if err != nil {
		return s, err
	}
	s.Bad, s.Good = l.commits[places.Bad], []object.Checksum{l.commits[places.Good]}
	s.Verdict = places.Next()
	switch {
	case s.Stuck:
		s.Suspects = slices.Clone(l.commits[places.Bad:places.Good])
	case !s.Found:
		s.Test = l.commits[s.Verdict.Test]
	}
	return s, nil
}

// places finds the marks on the line from a bad commit on.
func (l *line) places(ctx context.Context, from object.Checksum, m marks) (p halving.Marks, err error) {
	p = halving.Marks{Good: -1, Skipped: map[int]bool{}}
	seen := 0
	look := func(i int, sum object.Checksum) (more bool) {
		switch m.of[sum] {
		case Good:
			p.Good = i
			return false
		case Bad:
			p.Bad = i
			seen++
		case Skipped:
			p.Skipped[i] = true
		}
		return true
	}
	err = l.walk(ctx, from, look)
	switch shallow := new(history.ShallowError); {
	case p.Good < 0 && errors.As(err, &shallow):
		return p, fmt.Errorf("no good commit is before the bad one, as far as the history is here: %w", err)
	case err != nil && !errors.As(err, &shallow):
		return p, err
	case p.Good < 0:
		return p, &MistakenError{Bad: from, Good: m.all(Good)[0]}
	case seen < len(m.all(Bad)):
		return p, &MistakenError{Bad: m.lastUnseen(l.commits[:p.Good]), Good: l.commits[p.Good]}
	}
	return p, nil
}

// lastUnseen is the bad commit that is not on a line.
func (m *marks) lastUnseen(commits []object.Checksum) (sum object.Checksum) {
	for _, bad := range m.all(Bad) {
		if !slices.Contains(commits, bad) {
			sum = bad
		}
	}
	return sum
}

// MistakenError says that a good commit does not come before a bad one.
type MistakenError struct{ Bad, Good object.Checksum }

func (e *MistakenError) Error() string {
	return fmt.Sprintf("good commit %s is no ancestor of bad commit %s", e.Good, e.Bad)
}

// Hint is the remedy.
func (*MistakenError) Hint() string {
	return "maybe good and bad are mistaken for each other; `deployfs bisect log` shows what was said, `deployfs bisect reset` begins anew"
}

// behind reports whether a commit comes before another.
func (l *line) behind(ctx context.Context, sum, other object.Checksum) (found bool, err error) {
	err = history.Walk(ctx, l.repo, other, func(c history.Commit) (bool, error) {
		found = c.Checksum == sum
		return !found, nil
	})
	if errors.As(err, new(*history.ShallowError)) {
		err = nil
	}
	return found, err
}

// walk visits the commits from one on, with their places, until look has enough.
// It reads only what was not read before.
func (l *line) walk(ctx context.Context, from object.Checksum, look func(int, object.Checksum) bool) error {
	if len(l.commits) == 0 || l.commits[0] != from {
		l.commits = l.commits[:0]
	}
	for i, sum := range l.commits {
		if !look(i, sum) {
			return nil
		}
	}
	next, known := from, len(l.commits)
	if known > 0 {
		next = l.commits[known-1]
	}
	return history.Walk(ctx, l.repo, next, func(c history.Commit) (bool, error) {
		if known > 0 { // the last one that was read
			known = 0
			return true, nil
		}
		l.commits = append(l.commits, c.Checksum)
		return look(len(l.commits)-1, c.Checksum), nil
	})
}
