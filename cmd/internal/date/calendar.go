package date

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

var months = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// readDay reads a day, behind the name of a weekday, perhaps, which says nothing new.
func (p *parser) readDay() bool {
	words := p.words
	if len(words) > 1 && isName(words[0], weekdays) >= 0 {
		words = words[1:]
	}
	day, n := dayOf(words)
	if n == 0 || p.day != nil {
		return false
	}
	p.day, p.words = day, words[n:]
	return true
}

// dayOf reads a day from the first n words; 0 when there is none.
func dayOf(words []string) (day *[3]int, n int) {
	for _, layout := range []string{time.DateOnly, "2006/01/02", "01/02/2006", "1/2/2006", "20060102"} {
		if t, err := time.Parse(layout, words[0]); err == nil {
			return dateOf(t), 1
		}
	}
	if len(words) < 3 {
		return nil, 0
	}
	month, at := isName(words[0], months), 1
	if month < 0 {
		month, at = isName(words[1], months), 0
	}
	number := strings.TrimLeft(words[at], "0")
	if month < 0 || len(words[2]) != 4 || len(number) > 2 {
		return nil, 0
	}
	t, err := time.Parse("2006 1 2", words[2]+" "+strconv.Itoa(month+1)+" "+number)
	if err != nil {
		return nil, 0
	}
	return dateOf(t), 3
}

func dateOf(t time.Time) *[3]int {
	year, month, day := t.Date()
	return &[3]int{year, int(month), day}
}

// isName is the number of a name of which a word is the whole or the first
// three letters; -1 when it is none.
func isName(word string, names []string) int {
	long := map[string]string{
		"january": "jan", "february": "feb", "march": "mar", "april": "apr", "june": "jun", "july": "jul", "august": "aug",
		"september": "sep", "october": "oct", "november": "nov", "december": "dec",
		"sunday": "sun", "monday": "mon", "tuesday": "tue", "wednesday": "wed", "thursday": "thu", "friday": "fri", "saturday": "sat",
	}
	if short, ok := long[word]; ok {
		word = short
	}
	return slices.Index(names, word)
}

// readClock reads a time of day, with its zone behind it without a blank, perhaps.
func (p *parser) readClock() bool {
	word := p.words[0]
	if !strings.Contains(word, ":") || p.clock != nil {
		return false
	}
	zone := ""
	if at := strings.IndexAny(word, "+-z"); at > 0 {
		word, zone = word[:at], word[at:]
	}
	c := clockOf(word)
	if c == nil {
		return false
	}
	p.take(1)
	if zone != "" {
		p.words = append([]string{zone}, p.words...)
		return p.setClock(c) && p.readZone()
	}
	if len(p.words) > 0 && (p.words[0] == "am" || p.words[0] == "pm") {
		if c.hour == 0 || c.hour > 12 {
			return false
		}
		c.hour %= 12
		if p.take(1)[0] == "pm" {
			c.hour += 12
		}
	}
	return p.setClock(c)
}

func (p *parser) setClock(c *clock) bool {
	p.clock = c
	return true
}

// clockOf reads HH:MM, and seconds, whose fraction is cut off.
func clockOf(word string) *clock {
	for _, layout := range []string{"15:04", "15:04:05"} { // the second takes a fraction, too
		if t, err := time.Parse(layout, word); err == nil {
			c := new(clock)
			c.hour, c.minute, c.second = t.Clock()
			return c
		}
	}
	return nil
}

// readZone reads a zone, which must have a time of day before it.
func (p *parser) readZone() bool {
	if p.clock == nil || p.zoned {
		return false
	}
	zone := zoneOf(p.words[0])
	if zone == nil {
		return false
	}
	p.take(1)
	p.zone, p.zoned = zone, true
	return true
}

func zoneOf(word string) *time.Location {
	switch word {
	case "z", "utc", "gmt", "ut":
		return time.UTC
	}
	for _, layout := range []string{"-07:00", "-0700", "-07"} {
		if t, err := time.Parse(layout, word); err == nil {
			_, offset := t.Zone()
			return time.FixedZone("", offset)
		}
	}
	return nil
}
