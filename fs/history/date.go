package history

import (
	iofs "io/fs"
	"slices"
	"strings"
	"time"
)

const (
	latest   = "latest"
	shortSum = 10 // digits of a checksum in a name
	clock    = "150405"
)

// units are the levels of directories by date, the largest first.
var units = []struct {
	layout string
	next   func(time.Time) time.Time // the beginning of the next one
}{
	{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
	{"01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
	{"02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
}

// byDate shows commits by their time in UTC.
type byDate struct{ commits *catalog }

func (b *byDate) list(path []string) ([]entry, error) {
	all, err := b.commits.sorted(true)
	if err != nil {
		return nil, err
	}
	span, err := spanOf(all, path)
	if err != nil {
		return nil, err
	}
	var list []entry
	if len(path) == len(units) {
		for len(span) > 0 {
			second := sameSecond(span)
			list = append(list, timed(second)...)
			span = span[len(second):]
		}
		return list, nil
	}
	for unit := units[len(path)]; len(span) > 0; {
		at := time.Unix(span[0].at, 0).UTC()
		list = append(list, entry{name: at.Format(unit.layout), dir: true})
		span = span[since(span, unit.next(begin(at, len(path)))):]
	}
	if len(path) == 0 && len(all) > 0 {
		list = append(list, entry{name: latest, commit: all[len(all)-1].sum})
	}
	return list, nil
}

func (b *byDate) hasLinks(path []string) (bool, error) {
	all, err := b.commits.sorted(false)
	if err != nil || len(path) == 0 {
		return len(all) > 0, err
	}
	_, err = spanOf(all, path)
	return len(path) == len(units), err
}

// begin is the first moment of the year, month or day that t is in.
func begin(t time.Time, unit int) time.Time {
	switch unit {
	case 0:
		return time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	case 1:
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// since is the index of the first commit that is not before a moment.
func since(all []dated, t time.Time) int {
	i, _ := slices.BinarySearchFunc(all, t.Unix(), func(d dated, at int64) int {
		if d.at < at {
			return -1
		}
		return 1
	})
	return i
}

// spanOf are the commits of a year, a month or a day.
func spanOf(all []dated, path []string) ([]dated, error) {
	if len(path) == 0 {
		return all, nil
	}
	if len(path) > len(units) {
		return nil, iofs.ErrNotExist
	}
	var layouts []string
	for _, unit := range units[:len(path)] {
		layouts = append(layouts, unit.layout)
	}
	from, err := time.Parse(strings.Join(layouts, "/"), strings.Join(path, "/"))
	if err != nil {
		return nil, iofs.ErrNotExist
	}
	span := all[since(all, from):since(all, units[len(path)-1].next(from))]
	if len(span) == 0 {
		return nil, iofs.ErrNotExist
	}
	return span, nil
}

// sameSecond are the first commits of a span that are not empty: those with one
// time, in the order of their checksums.
func sameSecond(span []dated) []dated {
	return span[:since(span, time.Unix(span[0].at+1, 0))]
}

// timed names the commits of one second.
func timed(second []dated) []entry {
	list := make([]entry, len(second))
	for i := range second {
		list[i] = timedAt(second, i)
	}
	return list
}

// timedAt names a commit by its time, and by the first digits of its checksum
// unless these are another's of this second, too: one that is next to it.
func timedAt(second []dated, i int) entry {
	sum := second[i].sum
	text := sum.String()
	for _, next := range []int{i - 1, i + 1} {
		if next >= 0 && next < len(second) && strings.HasPrefix(second[next].sum.String(), text[:shortSum]) {
			return entry{name: prefix(second[i].at) + text, commit: sum}
		}
	}
	return entry{name: prefix(second[i].at) + text[:shortSum], commit: sum}
}

// prefix begins the names of a second's commits.
func prefix(at int64) string { return time.Unix(at, 0).UTC().Format(clock) + "-" }

// named finds the commit of a second that a name stands for.
func named(second []dated, name string) (entry, bool) {
	digits, _ := strings.CutPrefix(name, prefix(second[0].at))
	i, _ := slices.BinarySearchFunc(second, digits, func(d dated, digits string) int { return strings.Compare(d.sum.String(), digits) })
	if i < len(second) {
		if e := timedAt(second, i); e.name == name {
			return e, true
		}
	}
	return entry{}, false
}

func (b *byDate) find(path []string, name string) (entry, error) {
	all, err := b.commits.sorted(len(path) == 0 && name == latest)
	if err != nil {
		return entry{}, err
	}
	e, err := findDate(all, path, name)
	if err == nil && !e.dir {
		err = holds(b.commits.repo, e.commit)
	}
	if !absent(err) {
		return e, err
	}
	if all, err = b.commits.sorted(true); err != nil { // it may have come since, or gone
		return entry{}, err
	}
	return findDate(all, path, name)
}

func findDate(all []dated, path []string, name string) (entry, error) {
	if len(path) == 0 && name == latest && len(all) > 0 {
		return entry{name: name, commit: all[len(all)-1].sum}, nil
	}
	if len(path) < len(units) {
		_, err := spanOf(all, append(slices.Clone(path), name))
		return entry{name: name, dir: true}, err
	}
	span, err := spanOf(all, path)
	if err != nil {
		return entry{}, err
	}
	moment, err := time.Parse("2006/01/02/"+clock, strings.Join(path, "/")+"/"+name[:min(len(name), len(clock))])
	if err != nil {
		return entry{}, iofs.ErrNotExist
	}
	if span = span[since(span, moment):]; len(span) > 0 && span[0].at == moment.Unix() {
		if e, ok := named(sameSecond(span), name); ok {
			return e, nil
		}
	}
	return entry{}, iofs.ErrNotExist
}
