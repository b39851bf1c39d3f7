package finder

import (
	"context"

	"deployfs/objstore/object"
	"deployfs/objstore/pull"
	"deployfs/objstore/refs"
	"deployfs/objstore/summary"
)

// candidate is a remote that may have some of the refs.
type candidate struct {
	Result
	serves []refs.Name // that count of those that it lists
	list   *summary.Summary
	tips   map[refs.Name]summary.Ref // what the summary says of serves
	doubts map[refs.Name]error       // why a tip could not be pulled, where that is known
}

// source is where a candidate's commits are.
type source interface {
	// timestamp is a commit's, in seconds since 1970, by the commit itself, which is checked
	// against its name, and the size of that in bytes.
	timestamp(ctx context.Context, commit object.Checksum) (seconds uint64, size int, err error)
	// doubt tells why a commit could not be pulled, where that can be told at once.
	doubt(commit object.Checksum, collection string) error
	// pull takes over what o asks for.
	pull(ctx context.Context, o pull.Options) error
}

// look finds out what the summary says of the refs that count.
func (c *candidate) look() {
	c.tips, c.doubts = map[refs.Name]summary.Ref{}, map[refs.Name]error{}
	for _, name := range c.serves {
		if ref, ok := lookup(c.list, name); ok {
			c.tips[name] = ref
		}
	}
}

// lookup finds a ref of a collection in a summary.
func lookup(s *summary.Summary, name refs.Name) (found summary.Ref, ok bool) {
	for id, list := range s.Collections() {
		if id == name.Collection {
			if found, ok = list.Lookup(name.Ref); ok {
				return found, true
			}
		}
	}
	if s.Collection() == name.Collection {
		return s.Refs().Lookup(name.Ref)
	}
	return found, false
}
