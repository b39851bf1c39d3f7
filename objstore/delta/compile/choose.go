package compile

import (
	"context"

	"deployfs/objstore"
	"deployfs/objstore/delta/bsdiff"
	"deployfs/objstore/delta/bulk"
	"deployfs/objstore/delta/rollsum"
	"deployfs/objstore/object"
)

// method is how a delta describes a file.
type method int

// The methods, in the order in which files are packed.
const (
	chunks method = iota // by chunks of another file
	patch                // by a patch of another file
	whole                // by its content
	absent               // not at all
)

// enoughChunks is from how many percent of a file's chunks on that another file has it is
// described by them.
const enoughChunks = 50

// pair is the content of a file and of its base.
type pair struct{ old, new *bulk.Bulk }

// openPair reads both.
func openPair(repo *objstore.Repo, f *file) (p pair, err error) {
	if _, p.old, err = readContent(repo, f.base.sum); err != nil {
		return p, err
	}
	if _, p.new, err = readContent(repo, f.sum); err != nil {
		p.old.Close()
	}
	return p, err
}

// readContent reads a content object, and checks it.
func readContent(repo *objstore.Repo, sum object.Checksum) (h object.Header, b *bulk.Bulk, err error) {
	content, err := repo.Content(sum)
	if err != nil {
		return h, nil, err
	}
	defer content.Close()
	if b, err = bulk.Read(repo, content); err != nil {
		return h, nil, err
	}
	return content.Header, b, nil
}

func (p pair) bytes() (old, new []byte, err error) {
	if old, err = p.old.Bytes(); err == nil {
		new, err = p.new.Bytes()
	}
	return old, new, err
}

func (p pair) close() {
	p.old.Close()
	p.new.Close()
}

// chooser decides how files are described.
type chooser struct {
	repo    *objstore.Repo
	options Options
}

// match is what a file has in common with its base.
type match = rollsum.Matches

// compare finds what a file has in common with its base; nil when that is not enough.
func (c *chooser) compare(ctx context.Context, f *file) (*match, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	pair, err := openPair(c.repo, f)
	if err != nil {
		return nil, err
	}
	defer pair.close()
	old, new, err := pair.bytes()
	if err != nil {
		return nil, err
	}
	m := rollsum.Compare(old, new)
	if m.Percent() < enoughChunks {
		return nil, nil
	}
	return m, nil
}

// patchable reports whether a patch can be made for a file. It is smaller than chunks are, always.
func (c *chooser) patchable(f *file) bool {
	return f.base != nil && !c.options.NoBsdiff && f.size+f.base.size <= c.options.Limits.Bsdiff && f.base.size <= bsdiff.MaxSize
}

// choose says how a file is described of which these are the matches, or nil.
func (c *chooser) choose(f *file, m *match) method {
	limit := c.options.Limits.Fallback
	switch {
	case c.patchable(f):
		return patch
	case m != nil:
		return chunks
	case limit > 0 && f.size > limit:
		return absent
	}
	return whole
}
