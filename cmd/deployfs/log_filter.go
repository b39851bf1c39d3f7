package main

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"deployfs/cmd/internal/date"
)

// period is a time between two others, which belong to it; nil is open.
type period struct{ since, until *time.Time }

func (p *period) setSince(text string) error { return setTime(&p.since, text) }
func (p *period) setUntil(text string) error { return setTime(&p.until, text) }

func setTime(to **time.Time, text string) error {
	t, err := date.Parse(text, time.Now())
	if err != nil {
		return fmt.Errorf("'%s': %w", text, err)
	}
	*to = &t
	return nil
}

// holds tells whether a commit's timestamp is in the period.
func (p *period) holds(timestamp uint64) bool {
	seconds := int64(timestamp)
	return (p.since == nil || seconds >= p.since.Unix()) && (p.until == nil || seconds <= p.until.Unix())
}

// grep is a list of regular expressions; none matches everything.
type grep []*regexp.Regexp

// add adds one in which ^ and $ are the ends of a line.
func (g *grep) add(text string) error {
	re, err := regexp.Compile("(?m)" + text)
	if wrong := (*syntax.Error)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("'%s': %s", text, wrong.Code)
	}
	*g = append(*g, re)
	return nil
}

// matches tells whether one of them matches one of the texts.
func (g grep) matches(texts ...string) bool {
	return g == nil || slices.ContainsFunc(g, func(re *regexp.Regexp) bool { return re.MatchString(strings.Join(texts, "\n")) })
}
