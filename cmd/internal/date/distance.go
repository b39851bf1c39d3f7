package date

import (
	"strconv"
	"strings"
)

// maxDistance bounds the number in a distance, so that nothing overflows.
const maxDistance = 1 << 24

// readName reads a word for a day near now.
func (p *parser) readName() bool {
	days, ok := map[string]int{"now": 0, "today": 0, "yesterday": -1, "tomorrow": 1}[p.words[0]]
	if !ok {
		return false
	}
	p.take(1)
	p.days += days
	return true
}

// readDistance reads "2 days", "-1 week", "3 months ago", "last year", "day ago".
func (p *parser) readDistance() bool {
	words, n := p.words, 1
	switch words[0] {
	case "last":
		n, words = -1, words[1:]
	case "next":
		words = words[1:]
	case "this":
		n, words = 0, words[1:]
	default:
		digits := strings.TrimRight(words[0], "abcdefghijklmnopqrstuvwxyz")
		count, err := strconv.Atoi(digits)
		switch {
		case digits == "":
		case err != nil || count > maxDistance || count < -maxDistance:
			return false
		case p.clock != nil && !p.zoned && strings.ContainsAny(digits[:1], "+-"):
			return false // to GNU date it is a zone
		case digits == words[0]:
			n, words = count, words[1:]
		default: // 2days
			n, words = count, append([]string{words[0][len(digits):]}, words[1:]...)
		}
	}
	if len(words) == 0 {
		return false
	}
	unit := words[0]
	words = words[1:]
	if len(words) > 0 && words[0] == "ago" {
		n, words = -n, words[1:]
	}
	if !p.move(n, unit) {
		return false
	}
	p.words = words
	return true
}

// isUnit reports whether a word is a unit of time.
func isUnit(word string) bool { return new(parser).move(0, word) }

// move goes on by n units.
func (p *parser) move(n int, unit string) bool {
	switch strings.TrimSuffix(unit, "s") {
	case "year":
		p.years += n
	case "month":
		p.months += n
	case "fortnight":
		p.days += 14 * n
	case "week":
		p.days += 7 * n
	case "day":
		p.days += n
	case "hour":
		p.seconds += 3600 * n
	case "minute", "min":
		p.seconds += 60 * n
	case "second", "sec":
		p.seconds += n
	default:
		return false
	}
	return true
}
