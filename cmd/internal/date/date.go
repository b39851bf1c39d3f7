// Package date reads points in time as people write them: the part of what GNU
// date takes that says one thing only.
//
//	@1700000000                     seconds since 1970, also with a fraction
//	2023-11-14                      a day; its first second
//	14 Nov 2023, Nov 14 2023        the same, and 11/14/2023, 11/14/23, 14-Nov-2023
//	14 Nov, Nov 14, 11/14           the same, of this year
//	2023-11-14 22:13[:20[.5]] ZONE  with a time of day, also 10:13 pm, 10pm
//	2023-11-14T22:13:20Z            the same; zones are Z, UTC, EST, CET, +01:00, +0100, +01, +1, UTC+1
//	Tue Nov 14 22:13:20 UTC 2023    as date(1) prints it
//	22:13                           today
//	now, today, yesterday, tomorrow
//	2 days ago, last week, +1 hour  from now on, or from the time before it
//
// Source: the manual of GNU coreutils, "Date input formats".
package date

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ErrUnknown says that a text is no date, or none that this package knows.
var ErrUnknown = errors.New("unknown date format")

// Parse reads a date. What text leaves open is as at now, in now's zone.
func Parse(text string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if seconds, ok := strings.CutPrefix(text, "@"); ok {
		return parseSeconds(strings.TrimLeft(seconds, " \t"))
	}
	p := &parser{now: now, zone: now.Location(), words: split(text)}
	for len(p.words) > 0 {
		if !p.item() {
			return time.Time{}, ErrUnknown
		}
	}
	return p.result(text != "")
}

// parseSeconds reads seconds since 1970.
func parseSeconds(text string) (time.Time, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || strings.Trim(fraction, "0123456789") != "" || strings.HasSuffix(text, ".") {
		return time.Time{}, ErrUnknown
	}
	if n > math.MaxInt64/2 || n < math.MinInt64/2 {
		return time.Time{}, ErrUnknown
	}
	t := time.Unix(n, 0)
	if strings.Trim(fraction, "0") != "" && strings.HasPrefix(whole, "-") {
		t = t.Add(-time.Second)
	}
	return t, nil
}

var (
	commaFraction = regexp.MustCompile(`(:\d\d),(\d)`)              // 22:13:20,5
	joinedHalf    = regexp.MustCompile(`(\d)([ap]m)\b`)             // 10pm
	loneSign      = regexp.MustCompile(`(^|[ \t])([+-])[ \t]+(\d)`) // + 1 day
)

// split takes a text apart at blanks and commas, and a date from its time at "T".
func split(text string) []string {
	text = commaFraction.ReplaceAllString(strings.ToLower(text), "$1.$2")
	text = joinedHalf.ReplaceAllString(text, "$1 $2")
	text = loneSign.ReplaceAllString(text, "$1$2$3")
	words := strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == '\t' || c == ',' })
	for i, word := range words {
		day, clock, ok := strings.Cut(word, "t")
		if ok && isDay(day) && clock != "" {
			return append(append(words[:i:i], day, clock), words[i+1:]...)
		}
	}
	return words
}

func isDay(word string) bool {
	_, err := time.Parse(time.DateOnly, word)
	return err == nil
}

// parser reads the words of a date. Each part may stand there once, but for
// distances, which add up.
type parser struct {
	now   time.Time
	zone  *time.Location
	words []string

	day   *[3]int // year or noYear, month, day
	clock *clock
	zoned bool
	years, months, days,
	seconds int
}

// clock is a time of day.
type clock struct{ hour, minute, second int }

// take gives back the first words when there are so many.
func (p *parser) take(n int) []string {
	words := p.words[:n]
	p.words = p.words[n:]
	return words
}

// item reads one part; false when there is none at the beginning.
func (p *parser) item() bool {
	for _, read := range []func() bool{p.readDay, p.readYear, p.readClock, p.readZone, p.readName, p.readDistance} {
		if read() {
			return true
		}
	}
	return false
}

// result puts the parts together. Without any, it is the beginning of today: of the day
// that it is in now's zone, as for date(1), also where the time of day is another zone's.
func (p *parser) result(any bool) (time.Time, error) {
	if p.day == nil && p.clock == nil && any { // a distance alone keeps summer time, or winter time
		_, offset := p.now.In(p.zone).Zone()
		p.zone = time.FixedZone("", offset)
	}
	year, month, day := p.now.Date()
	c := clock{}
	if p.day != nil {
		if p.day[0] != noYear {
			year = p.day[0]
		}
		month, day = time.Month(p.day[1]), p.day[2]
		if time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Day() != day { // 29 Feb
			return time.Time{}, ErrUnknown
		}
	}
	switch {
	case p.clock != nil:
		c = *p.clock
	case p.day == nil && any:
		c.hour, c.minute, c.second = p.now.Clock()
	}
	if p.zoned && p.clock == nil {
		return time.Time{}, ErrUnknown
	}
	t := time.Date(year+p.years, month+time.Month(p.months), day+p.days, c.hour, c.minute, c.second, 0, p.zone)
	return t.Add(time.Duration(p.seconds) * time.Second), nil
}
