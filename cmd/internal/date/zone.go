package date

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// zones are the hours that usual abbreviations are ahead of UTC, as GNU date has them.
var zones = map[string]float64{
	"z": 0, "utc": 0, "gmt": 0, "ut": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "met": 1, "cest": 2, "mest": 2, "eet": 2, "sast": 2,
	"eest": 3, "msk": 3, "ist": 5.5, "sgt": 8, "jst": 9, "kst": 9, "nzst": 12, "nzdt": 13,
	"brt": -3, "nst": -3.5, "ndt": -2.5, "ast": -4, "adt": -3, "est": -5, "edt": -4, "cst": -6, "cdt": -5,
	"mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "akst": -9, "akdt": -8, "hst": -10,
}

// readZone reads a zone, which must have a time of day before it.
func (p *parser) readZone() bool {
	if p.clock == nil || p.zoned {
		return false
	}
	zone := p.zoneOf(p.words[0])
	if zone == nil || len(p.words) > 1 && strings.ContainsAny(p.words[0][:1], "+-") && isUnit(p.words[1]) {
		return false
	}
	p.take(1)
	p.zone, p.zoned = zone, true
	return true
}

// zoneOf is the zone that is called so here, or everywhere.
func (p *parser) zoneOf(word string) *time.Location {
	for _, month := range []time.Month{time.January, time.July} {
		name, offset := time.Date(p.now.Year(), month, 1, 0, 0, 0, 0, p.now.Location()).Zone()
		if strings.EqualFold(name, word) {
			return time.FixedZone("", offset)
		}
	}
	if hours, ok := zones[word]; ok {
		return time.FixedZone("", int(hours*3600))
	}
	for _, utc := range []string{"utc", "gmt"} {
		if offset, ok := strings.CutPrefix(word, utc); ok {
			word = offset
		}
	}
	return offsetOf(word)
}

var offsetForm = regexp.MustCompile(`^([+-])(\d{1,2})(?::?([0-5]\d))?$`)

// offsetOf reads +H, +HH, +HMM, +HHMM and +HH:MM.
func offsetOf(word string) *time.Location {
	m := offsetForm.FindStringSubmatch(word)
	if m == nil {
		return nil
	}
	hours, _ := strconv.Atoi(m[2])
	minutes, _ := strconv.Atoi(m[3])
	minutes += 60 * hours
	if minutes > 24*60 {
		return nil
	}
	if m[1] == "-" {
		minutes = -minutes
	}
	return time.FixedZone("", 60*minutes)
}
