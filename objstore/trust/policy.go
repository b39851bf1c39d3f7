package trust

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/sign"
)

// Policy is what must be signed, and whose signatures count. Its methods may be called
// at the same time.
type Policy struct {
	remote          string
	listed          []string // the schemes beside gpg that sign-verify lists; nil is any
	commit, summary []demand // each must be met
}

// demand is that something is signed by one of several schemes.
type demand struct {
	option   string // of a remote, that makes it, such as "sign-verify"
	checkers []sign.Checker
}

// ForPull is what a remote's configuration demands of what is pulled from it into a
// repository: a GPG signature of each commit as gpg-verify says, which is true unless
// it is set, and one of the summary as gpg-verify-summary says, which is not; and
// signatures of other schemes as sign-verify and sign-verify-summary say. A name that
// is a file URL is no remote's, and nothing is demanded of it. Errors are in ostree's
// words.
func ForPull(repo *objstore.Repo, remote string) (*Policy, error) {
	return machine.forPull(repo, remote)
}

func (s system) forPull(repo *objstore.Repo, remote string) (*Policy, error) {
	p := &Policy{remote: remote}
	if strings.HasPrefix(remote, "file://") {
		return p, nil
	}
	c, err := s.remote(repo, remote)
	if err != nil {
		return nil, err
	}
	if p.commit, err = s.demands(repo, c, "", true); err != nil {
		return nil, err
	}
	p.summary, err = s.demands(repo, c, "-summary", false)
	return p, err
}

// demands are those of the options gpg-verify, which may be unset, and sign-verify of
// a remote, or of what their names end in.
func (s system) demands(repo *objstore.Repo, c config, suffix string, unset bool) (list []demand, err error) {
	option := "gpg-verify" + suffix
	on, err := c.boolean(option, unset)
	if err != nil {
		return nil, err
	}
	if on {
		list = append(list, s.gpgDemand(repo, c.Name, option))
	}
	option = "sign-verify" + suffix
	engines, err := s.engines(c, option)
	if engines != nil {
		list = append(list, demand{option, engines})
	}
	return list, err
}

// ForLocalPull is what a pull of a directory demands: GPG signatures alone, by keys
// that count for a remote, of the commits and of the summary, as it is told.
func ForLocalPull(repo *objstore.Repo, remote string, commits, summary bool) *Policy {
	p := &Policy{remote: remote}
	if commits {
		p.commit = []demand{machine.gpgDemand(repo, remote, "gpg-verify")}
	}
	if summary {
		p.summary = []demand{machine.gpgDemand(repo, remote, "gpg-verify-summary")}
	}
	return p
}

// WantsCommit reports whether commits must be signed.
func (p *Policy) WantsCommit() bool { return len(p.commit) > 0 }

// WantsSummary reports whether the summary must be signed.
func (p *Policy) WantsSummary() bool { return len(p.summary) > 0 }

// WantsDelta reports whether keys are known by which a static delta may be signed.
func (p *Policy) WantsDelta() bool {
	return slices.ContainsFunc(p.commit, func(d demand) bool { return !d.gpg() })
}

// Commit fails, in ostree's words, unless a commit is signed as it must be: data are
// the commit object's bytes, which need not be in the repository yet, and detached its
// metadata, an a{sv} or the zero value. The failure names the commit where ostree's
// does.
func (p *Policy) Commit(sum object.Checksum, data []byte, detached gvariant.Value) error {
	for _, d := range p.commit {
		switch err := d.check(data, detached); {
		case err == nil:
		case d.gpg():
			return fmt.Errorf("Commit %s: %w", sum, err)
		case detached.Type() == "":
			return errors.New("Can't verify commit without detached metadata")
		default:
			return fmt.Errorf("Can't verify commit: %w", err)
		}
	}
	return nil
}

// StoredCommit is [Policy.Commit] in the words that ostree has for a commit that it has
// stored before it looks: one that was there, or is of a directory of this machine.
func (p *Policy) StoredCommit(sum object.Checksum, data []byte, detached gvariant.Value) error {
	for _, d := range p.commit {
		if d.gpg() {
			if err := d.check(data, detached); err != nil {
				return fmt.Errorf("Commit %s: %w", sum, err)
			}
		} else if err := d.checkStored(data, detached); err != nil {
			return fmt.Errorf("Can't verify commit %s: %w", sum, err)
		}
	}
	return nil
}

// Delta fails unless a static delta's superblock is signed as sign-verify demands it of
// commits; GPG signs none.
func (p *Policy) Delta(superblock []byte, signatures gvariant.Value) error {
	for _, d := range p.commit {
		if d.gpg() {
			continue
		}
		if err := d.check(superblock, signatures); err != nil {
			return fmt.Errorf("Delta signature verification failed: %w", err)
		}
	}
	return nil
}

// checkStored tells why the first scheme finds no good signature, if none does.
func (d demand) checkStored(data []byte, meta gvariant.Value) (first error) {
	for _, c := range d.checkers {
		signatures, err := sign.Signatures(meta, c.Name())
		if err == nil {
			_, err = c.Check(data, signatures)
		}
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

func (d demand) gpg() bool { return strings.HasPrefix(d.option, "gpg-") }

// check tells, in ostree's words, why there is no good signature.
func (d demand) check(data []byte, meta gvariant.Value) error {
	var first error
	failed := 0
	for _, c := range d.checkers {
		signatures, err := sign.Signatures(meta, c.Name())
		if err == nil && signatures == nil && !d.gpg() {
			continue
		}
		if err == nil {
			_, err = c.Check(data, signatures)
		}
		if err == nil {
			return nil
		}
		if failed++; first == nil {
			first = err
		}
	}
	switch {
	case failed == 0:
		return errors.New("No signatures found")
	case failed > 1:
		return fmt.Errorf("(%d other invalid signatures): %w", failed-1, first)
	}
	return first
}
