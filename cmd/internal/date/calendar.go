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
	for _, layout := range []string{
		time.DateOnly, "2006/01/02", "01/02/2006", "1/2/2006", "1/2/06", "20060102", "2-Jan-2006", "2-Jan-06",
	} {
		if t, err := time.Parse(layout, words[0]); err == nil {
			return dateOf(t), 1
		}
	}
	if month, number, ok := strings.Cut(words[0], "/"); ok {
		return monthDay(month, number, 1)
	}
	if len(words) < 2 {
		return nil, 0
	}
	month, at := isName(words[0], months), 1
	if month < 0 {
		month, at = isName(words[1], months), 0
	}
	isYear := len(words) > 2 && len(words[2]) < 4 && strings.Trim(words[2], "0123456789") == "" // of GNU date
	if month < 0 || isYear && !(len(words) > 3 && isHalf(words[3])) {
		return nil, 0
	}
	return monthDay(strconv.Itoa(month+1), words[at], 2)
}

// monthDay is a day of a year that is not known yet, of n words.
func monthDay(month, number string, n int) (*[3]int, int) {
	t, err := time.Parse("2006 1 2", "2000 "+month+" "+strings.TrimPrefix(number, "0")) // a leap year
	if err != nil {
		return nil, 0
	}
	day := dateOf(t)
	day[0] = noYear
	return day, n
}

const noYear = -1

// readYear reads the year behind a day without, or behind the time of that day.
func (p *parser) readYear() bool {
	if p.day == nil || p.day[0] != noYear || len(p.words[0]) != 4 || p.years|p.months|p.days|p.seconds != 0 {
		return false
	}
	t, err := time.Parse("2006", p.words[0])
	if err == nil {
		p.take(1)
		p.day[0] = t.Year()
	}
	return err == nil
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
	if len(p.words) > 1 && len(word) < 3 && isHalf(p.words[1]) { // 1 pm
		word += ":00"
	}
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
	if len(p.words) > 0 && isHalf(p.words[0]) {
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

func isHalf(word string) bool { return word == "am" || word == "pm" }

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
