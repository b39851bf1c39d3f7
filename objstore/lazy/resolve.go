package lazy

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/binding"
	"deployfs/objstore/fetch"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

// Policy says what has to be signed; see [deployfs/objstore/trust.Policy].
type Policy interface {
	WantsSummary() bool
	Summary(summary, signatures []byte) error
	WantsCommit() bool
	Commit(sum object.Checksum, data []byte, detached gvariant.Value) error
}

// Found is a commit that a target means.
type Found struct {
	Commit object.Checksum
	Ref    string // that leads to it; "" is none
	// Offline is why this is what the target meant when the server answered last; nil
	// when it has answered.
	Offline error
}

// Resolve finds the commit that a target means, fetches it with its detached metadata, and
// has what the policy demands verified; a nil policy demands nothing. When the server does
// not answer, what it said last counts, as long as it is still trusted.
func (s *Source) Resolve(t Target, p Policy) (Found, error) {
	found, err := s.resolve(t, p, &online{s: s})
	var outage *OutageError
	if !errors.As(err, &outage) {
		return found, err
	}
	found, late := s.resolve(t, p, offline{s})
	switch unknown, unnamed := (*objstore.RevError)(nil), (*UnknownError)(nil); {
	case errors.As(late, &unknown), errors.As(late, &unnamed), errors.As(late, &outage):
		return found, err // nothing is known
	case late != nil:
		return found, fmt.Errorf("%w, and of what was there when it answered last: %w", err, late)
	}
	found.Offline = outage
	return found, nil
}

// registry tells what refs mean and who has signed commits.
type registry interface {
	// summary returns the summary and its signature; nil is that there is none.
	summary(p Policy) (data, signatures []byte, err error)
	// ref reads a ref of a repository without a summary.
	ref(name string) (object.Checksum, error)
	// detached is the metadata of a commit, an a{sv}; nil is that there is none.
	detached(sum object.Checksum) ([]byte, error)
	// settled is told of a ref that was found, and all that was demanded of it is true.
	settled(name string, sum object.Checksum) error
}

func (s *Source) resolve(t Target, p Policy, r registry) (found Found, err error) {
	found.Ref = t.Ref
	if object.IsChecksum(t.Ref) {
		found.Ref = ""
		if found.Commit, err = object.ParseChecksum(t.Ref); err != nil {
			return found, err
		}
	} else if err = s.resolveRef(&found, p, r); err != nil {
		return found, err
	}
	tip := found.Commit
	if err := s.check(tip, found.Ref, p, r); err != nil {
		return found, err
	}
	for range t.Back {
		commit, err := s.Repo().Commit(found.Commit)
		if err != nil {
			return found, err
		}
		if commit.Parent.IsZero() {
			return found, fmt.Errorf("Commit %s has no parent", found.Commit)
		}
		found.Commit = commit.Parent
	}
	if found.Commit != tip {
		if err := s.check(found.Commit, "", p, r); err != nil {
			return found, err
		}
	}
	if found.Ref == "" {
		return found, nil
	}
	return found, r.settled(found.Ref, tip)
}

// resolveRef finds the commit of a ref, and the ref where there is only one.
func (s *Source) resolveRef(found *Found, p Policy, r registry) error {
	data, signatures, err := r.summary(p)
	if err != nil {
		return err
	}
	if p != nil && p.WantsSummary() {
		if err := p.Summary(data, signatures); err != nil {
			return err
		}
	}
	if data != nil {
		return lookup(found, data)
	}
	if found.Ref == "" {
		return &UnknownError{Text: "a ref is needed, as the server has no summary that lists them", Remedy: "name it as URL#REF"}
	}
	found.Commit, err = r.ref(found.Ref)
	if errors.Is(err, fs.ErrNotExist) {
		return &UnknownError{Text: fmt.Sprintf("the server has neither a summary nor a ref '%s'", found.Ref), Remedy: "look whether the URL is that of an OSTree repository"}
	}
	return err
}

// UnknownError says that a ref is not there.
type UnknownError struct{ Text, Remedy string }

func (e *UnknownError) Error() string { return e.Text }

// Hint is what can be done about it.
func (e *UnknownError) Hint() string { return e.Remedy }

// check reads a commit, and fails unless it may be what a ref leads to.
func (s *Source) check(sum object.Checksum, ref string, p Policy, r registry) error {
	name := object.Name{Checksum: sum, Kind: object.KindCommit}
	data, err := s.Repo().Metadata(name)
	if err != nil {
		return err
	}
	commit, err := object.DecodeCommit(data)
	if err != nil {
		return object.Corrupt(name, err)
	}
	collections := s.server.Collections
	if len(collections) == 0 {
		collections = []string{""}
	}
	for _, collection := range collections {
		if err := binding.Check(commit, collection, ref); err != nil {
			return err
		}
	}
	detached, err := r.detached(sum)
	if err != nil {
		return err
	}
	if p == nil || !p.WantsCommit() {
		return s.keepDetached(sum, detached)
	}
	var value gvariant.Value
	if detached != nil {
		if value, err = gvariant.Parse("a{sv}", detached); err != nil {
			return object.Corrupt(object.Name{Checksum: sum, Kind: object.KindCommitMeta}, err)
		}
	}
	if err := p.Commit(sum, data, value); err != nil {
		return err
	}
	return s.keepDetached(sum, detached)
}

// ID is what stands for the server in the names of files of the cache.
func (s *Source) ID() string {
	hash := sha256.Sum256([]byte(strings.Join(s.server.Fetch.URLs, "\n")))
	return hex.EncodeToString(hash[:12])
}

func (s *Source) refName(ref string) refs.Name { return refs.Name{Remote: s.ID(), Ref: ref} }

// getOptional is get of a file that need not be there: then it is nil.
func (s *Source) getOptional(path string, limit int64) (data []byte, err error) {
	err = s.link.try(func() error {
		data, err = s.get(fetch.File{Path: path}, limit)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && data == nil {
		data = []byte{}
	}
	return data, err
}
