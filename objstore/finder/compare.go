package finder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/summary"
)

// add takes a candidate in, or leaves it out when its summary could not be read.
func (s *search) add(c *candidate, err error) {
	if err != nil {
		s.Ignored(c.URL, err)
		return
	}
	c.look()
	if len(c.tips) == 0 {
		s.Ignored(c.URL, errors.New("none of the refs is in its summary"))
		return
	}
	s.candidates = append(s.candidates, c)
}

// compare finds which commits are the newest, and which candidates have them.
func (s *search) compare(ctx context.Context) error {
	slices.SortStableFunc(s.candidates, inTurn)
	commits := commits{}
	for i, c := range s.candidates {
		if err := s.date(ctx, commits, c); err != nil {
			s.Ignored(c.URL, err)
			s.candidates[i] = nil
		}
	}
	s.candidates = slices.DeleteFunc(s.candidates, func(c *candidate) bool { return c == nil })
	if err := s.ask(ctx, commits); err != nil {
		return err
	}
	newest := s.newest(commits)
	for _, c := range s.candidates {
		if c.settle(s.asked, newest, commits); c.has() > 0 {
			s.Results = append(s.Results, c.Result)
		} else {
			s.Ignored(c.URL, errors.New("others have newer commits"))
		}
	}
	slices.SortStableFunc(s.Results, order)
	return nil
}

// inTurn is the order in which candidates are heard.
func inTurn(a, b *candidate) int {
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(len(a.tips), len(b.tips)), cmp.Compare(a.name, b.name))
}

// commits are what is known of commits.
type commits map[object.Checksum]about

type about struct {
	size      uint64 // in bytes
	timestamp uint64 // seconds since 1970; 0 is unknown
	asked     bool   // the commit itself says so
}

// date adds what a candidate says of its commits, unless it contradicts what is known: of them
// all, or of none.
func (s *search) date(ctx context.Context, known commits, c *candidate) error {
	news := commits{}
	for name, tip := range c.tips {
		said, err := s.about(ctx, c, tip)
		if err != nil {
			return fmt.Errorf("%s: commit %s: %w", name, tip.Commit, err)
		}
		was, ok := known[tip.Commit]
		switch {
		case ok && was.size != said.size:
			return fmt.Errorf("%s: commit %s is said to have %d bytes, not %d", name, tip.Commit, said.size, was.size)
		case was.timestamp != 0 && said.timestamp != 0 && was.timestamp != said.timestamp:
			return fmt.Errorf("%s: commit %s is said to be of the time %d, not %d", name, tip.Commit, said.timestamp, was.timestamp)
		}
		news[tip.Commit] = about{size: said.size, timestamp: max(was.timestamp, said.timestamp)}
		if err := c.source.doubt(tip.Commit, name.Collection); err != nil {
			c.doubts[name] = err
			s.Ignored(c.URL, fmt.Errorf("%s, if another remote has it: %w", name, err))
		}
	}
	for commit, about := range news {
		known[commit] = about
	}
	return nil
}

const lastSecond = 253402300799 // of the year 9999

// about is what a candidate says of a commit. That is the commit itself where nobody vouches for
// the summary, and must fit what is here already.
func (s *search) about(ctx context.Context, c *candidate, tip summary.Ref) (about, error) {
	said := about{size: tip.Size}
	said.timestamp, _ = tip.Timestamp()
	if c.Kind == Mount {
		seconds, size, err := c.source.timestamp(ctx, tip.Commit)
		if err != nil {
			return said, err
		}
		said = about{size: uint64(size), timestamp: seconds}
	} else if commit, err := s.repo.Commit(tip.Commit); err == nil {
		if said.timestamp != 0 && said.timestamp != commit.Timestamp {
			return said, fmt.Errorf("it is of the time %d, not %d", commit.Timestamp, said.timestamp)
		}
		said.timestamp = commit.Timestamp
	}
	if said.timestamp > lastSecond {
		said.timestamp = 0
	}
	return said, nil
}

// ask finds out when commits were made of which no summary says so: from those who list them. Who
// can't tell does not have the commit.
func (s *search) ask(ctx context.Context, known commits) error {
	for _, c := range s.candidates {
		for name, tip := range c.tips {
			about := known[tip.Commit]
			if about.timestamp != 0 || about.asked {
				continue
			}
			seconds, _, err := c.source.timestamp(ctx, tip.Commit)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				s.Ignored(c.URL, fmt.Errorf("%s: Metadata not found for commit ‘%s’: %w", name, tip.Commit, err))
				delete(c.tips, name)
				continue
			}
			about.timestamp, about.asked = seconds, true
			known[tip.Commit] = about
		}
	}
	return nil
}

// newest finds the newest commit of each ref: of several, that of the first candidate. One that
// could not be pulled does not hide an older one that can.
func (s *search) newest(known commits) map[refs.Name]object.Checksum {
	newest := map[refs.Name]object.Checksum{}
	for _, doubtful := range []bool{false, true} {
		found := map[refs.Name]object.Checksum{}
		for _, c := range s.candidates {
			for name, tip := range c.tips {
				best, ok := found[name]
				if (c.doubts[name] != nil) == doubtful && (!ok || known[tip.Commit].timestamp > known[best].timestamp) {
					found[name] = tip.Commit
				}
			}
		}
		for name, commit := range found {
			if _, ok := newest[name]; !ok {
				newest[name] = commit
			}
		}
	}
	return newest
}

// settle fills in which of the refs the candidate has the newest commits of.
func (c *candidate) settle(asked []refs.Name, newest map[refs.Name]object.Checksum, known commits) {
	for _, name := range asked {
		ref := Ref{Name: name}
		if tip, ok := c.tips[name]; ok && tip.Commit == newest[name] {
			ref.Commit, ref.Timestamp = tip.Commit, known[tip.Commit].timestamp
		}
		c.Refs = append(c.Refs, ref)
	}
	c.LastModified, _ = c.list.LastModified()
}
