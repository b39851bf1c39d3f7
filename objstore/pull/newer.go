package pull

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

// dated is a commit of the repository itself, than which others must not be older.
type dated struct {
	commit object.Checksum
	time   uint64 // seconds since 1970
}

// findNewer finds the commits than which the wanted ones must not be older.
func (p *puller) findNewer() (err error) {
	p.newer = map[refs.Name]dated{}
	for _, names := range p.wanted.refs {
		for _, name := range names {
			if !p.Newer {
				continue
			}
			if err := p.findCurrent(name); err != nil {
				return err
			}
		}
	}
	if p.NewerThan == "" {
		return nil
	}
	sum, err := p.dest.Resolve(p.NewerThan)
	if err == nil {
		p.newerThan, err = p.date(sum)
	}
	if err != nil && sum != (object.Checksum{}) {
		err = fmt.Errorf("Reading %s for timestamp-check-from-rev: %w", sum, err)
	}
	return err
}

// findCurrent finds where a ref leads now, if there is one.
func (p *puller) findCurrent(name refs.Name) error {
	sum, err := p.dest.Resolve(name.Ref)
	if isAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if p.newer[name], err = p.date(sum); err != nil {
		return fmt.Errorf("Reading %s for timestamp-check: %w", name.Ref, err)
	}
	return nil
}

// isAbsent reports whether an error says that there is no such ref.
func isAbsent(err error) bool {
	absent := (*objstore.RevError)(nil)
	return errors.As(err, &absent) && !absent.Ambiguous || errors.Is(err, fs.ErrNotExist)
}

func (p *puller) date(sum object.Checksum) (dated, error) {
	c, err := p.dest.Commit(sum)
	return dated{sum, c.Timestamp}, err
}

// checkNewer fails where a commit is older than it may be.
func (p *puller) checkNewer(sum object.Checksum, c object.Commit) error {
	if p.NewerThan != "" {
		if err := p.newerThan.check(sum, c); err != nil {
			return err
		}
	}
	for _, name := range p.wanted.refs[sum] {
		if current, ok := p.newer[name]; ok {
			if err := current.check(sum, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// check fails, in ostree's words, when a commit is older.
func (d dated) check(sum object.Checksum, c object.Commit) error {
	if c.Timestamp >= d.time || sum == d.commit {
		return nil
	}
	return fmt.Errorf("Upgrade target revision '%s' with timestamp '%s' is chronologically older than current revision '%s' with timestamp '%s'; use --allow-downgrade to permit",
		sum, stamp(c.Timestamp), d.commit, stamp(d.time))
}

// stamp writes a time as ostree does, in the C locale.
func stamp(seconds uint64) string {
	return time.Unix(int64(seconds), 0).UTC().Format("Mon Jan _2 15:04:05 2006")
}
