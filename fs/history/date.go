package history

import (
	iofs "io/fs"
	"slices"
	"strings"
	"time"

	"deployfs/objstore/object"
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

// sameSecond are the first commits of a span that are not empty: those with one time.
func sameSecond(span []dated) []dated {
	n := 1
	for n < len(span) && span[n].at == span[0].at {
		n++
	}
	return span[:n]
}

// timed names the commits of one second: by the first digits of their checksums,
// unless these are another's, too.
func timed(second []dated) []entry {
	list := make([]entry, len(second))
	for i, d := range second {
		list[i] = entry{name: time.Unix(d.at, 0).UTC().Format(clock) + "-" + unique(d.sum, second), commit: d.sum}
	}
	return list
}

// unique is a checksum, shortened where it is the only one that is so. They are
// in the order of checksums.
func unique(sum object.Checksum, second []dated) string {
	text := sum.String()
	same := 0
	for _, d := range second {
		if strings.HasPrefix(d.sum.String(), text[:shortSum]) {
			same++
		}
	}
	if same > 1 {
		return text
	}
	return text[:shortSum]
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
		for _, e := range timed(sameSecond(span)) {
			if e.name == name {
				return e, nil
			}
		}
	}
	return entry{}, iofs.ErrNotExist
}
