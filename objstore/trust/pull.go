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

// ForPull is what a remote's configuration demands of what is pulled from it into a
// repository: a GPG signature of each commit as gpg-verify says, which is true unless
// it is set, and one of the summary as gpg-verify-summary says, which is not; and
// signatures of other schemes as sign-verify and sign-verify-summary say. A name
// that is a file URL is no remote's, and nothing is demanded of it.
func ForPull(repo *objstore.Repo, remote string) (*Policy, error) {
	return machine.forPull(repo, remote)
}

// ForLocalPull is what a pull of a directory demands: GPG signatures alone, by keys that
// count for a remote, of the commits and of the summary, as it is told.
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

func (s system) forPull(repo *objstore.Repo, remote string) (*Policy, error) {
	p := &Policy{remote: remote}
	if strings.HasPrefix(remote, "file://") {
		return p, nil
	}
	c, err := s.remote(repo, remote)
	if err != nil {
		return nil, err
	}
	for _, d := range []struct {
		list      *[]demand
		gpg, sign string
		unset     bool
	}{
		{&p.commit, "gpg-verify", "sign-verify", true},
		{&p.summary, "gpg-verify-summary", "sign-verify-summary", false},
	} {
		on, err := c.Bool(d.gpg, d.unset)
		if err != nil {
			return nil, err
		}
		if on {
			*d.list = append(*d.list, s.gpgDemand(repo, remote, d.gpg))
		}
		engines, err := s.engines(c, d.sign)
		if err != nil {
			return nil, err
		}
		if engines != nil {
			*d.list = append(*d.list, demand{option: d.sign, checkers: engines})
		}
	}
	return p, nil
}

// WantsCommit reports whether commits must be signed.
func (p *Policy) WantsCommit() bool { return len(p.commit) > 0 }

// WantsSummary reports whether the summary must be signed.
func (p *Policy) WantsSummary() bool { return len(p.summary) > 0 }

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

// Summary fails, in ostree's words, unless a summary is signed as it must be. Nil is
// a summary or a summary.sig that is absent.
func (p *Policy) Summary(summary, signatures []byte) error {
	for _, d := range p.summary {
		name, what := "GPG", d.option
		if !d.gpg() {
			name = "Signatures"
		}
		absent := ""
		switch {
		case summary == nil && (signatures != nil || d.gpg()):
			absent = "summary"
		case signatures == nil:
			absent = "summary.sig"
		}
		if absent != "" {
			return fmt.Errorf("%s verification enabled, but no %s found (use %s=false in remote config to disable)", name, absent, what)
		}
		meta, err := gvariant.Parse("a{sv}", signatures)
		if err != nil {
			return fmt.Errorf("summary.sig: %w", err)
		}
		if err := d.check(summary, meta); err != nil {
			return err
		}
	}
	return nil
}

// Delta fails unless a static delta's superblock has a signature that sign-verify
// asks for; GPG does not sign deltas.
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

// demand is that something is signed by one of several schemes.
type demand struct {
	option   string // of a remote, that makes it
	checkers []sign.Checker
}

func (d demand) gpg() bool { return strings.HasPrefix(d.option, "gpg-") }

// check tells, in ostree's words, why there is no good signature.
func (d demand) check(data []byte, meta gvariant.Value) error {
	var first error
	found, failed := false, 0
	for _, c := range d.checkers {
		signatures, err := sign.Signatures(meta, c.Name())
		if err == nil && signatures == nil && !d.gpg() {
			continue
		}
		found = true
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
	case !found:
		return errors.New("No signatures found")
	case failed > 1:
		return fmt.Errorf("(%d other invalid signatures): %w", failed-1, first)
	}
	return first
}

// gpgDemand is an option's demand of a GPG signature by a key that counts for a remote.
// The keys are read when they are first needed.
func (s system) gpgDemand(repo *objstore.Repo, remote, option string) demand {
	return demand{option: option, checkers: []sign.Checker{s.lazyRing(repo, remote)}}
}

// schemes are those beside GPG, in the order in which ostree tries them.
var schemes = []string{"ed25519", "dummy"}

// listOf reads a list of a key file, whose items end with ; or are separated by , as
// `ostree remote add` writes them.
func listOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == ',' })
}

// engines are the schemes beside GPG that an option such as sign-verify lists, each
// with the remote's own keys, which it must have; where the option says true, all
// schemes, with the system's keys where the remote has none. Nil: it demands nothing.
func (s system) engines(c config, option string) (list []sign.Checker, err error) {
	text, ok, err := c.list.Option(c.Name, option)
	if err != nil || !ok || text == "" {
		return nil, err
	}
	names, required := schemes, true
	switch text {
	case "false", "0":
		return nil, nil
	case "true", "1":
		required = false
	default:
		names = listOf(text)
	}
	for _, name := range names {
		if !slices.Contains(schemes, name) {
			return nil, sign.ErrNoScheme
		}
		checker, err := s.engine(c, name, required)
		if err != nil {
			return nil, err
		}
		list = append(list, checker)
	}
	return list, nil
}

// engine is one scheme beside GPG with the keys that count for a remote: its own, or,
// where it has none and need not have, the system's.
func (s system) engine(c config, name string, required bool) (sign.Checker, error) {
	file, inFile := c.Get("verification-" + name + "-file")
	key, inline := c.Get("verification-" + name + "-key")
	switch {
	case required && !inFile && !inline:
		return nil, fmt.Errorf("No keys found for required signapi type %s", name)
	case name == "dummy":
		if inFile {
			return nil, fmt.Errorf("Failed loading 'dummy' keys from '%s", file)
		}
		if !inline {
			return keyless{"dummy", errors.New("signature: dummy: no keys loaded")}, nil
		}
		if sign.CheckDummy() != nil {
			return nil, errors.New("Failed loading 'dummy' keys from inline `verification-key`")
		}
		return sign.Dummy{Key: key}, nil
	case !inFile && !inline:
		checker, err := s.store()
		if err != nil {
			return keyless{name, err}, nil
		}
		return checker, nil
	}
	return s.own(name, file, inFile, key, inline)
}

func (s system) own(name, file string, inFile bool, key string, inline bool) (sign.Checker, error) {
	e := &sign.Ed25519{}
	if inFile {
		keys, err := KeyFile(file)
		if err != nil {
			return nil, fmt.Errorf("Failed loading '%s' keys from '%s", name, file)
		}
		e.Trusted = keys.Trusted
	}
	if inline {
		k, err := sign.ParseKey(strings.TrimSpace(key))
		if err != nil {
			return nil, fmt.Errorf("Failed loading '%s' keys from inline `verification-key`", name)
		}
		e.Trusted = unique(append(e.Trusted, k))
	}
	revoked, err := s.load("revoked")
	e.Revoked = revoked
	return e, err
}

// keyless is a scheme that has no keys to check with.
type keyless struct {
	name string
	why  error
}

func (k keyless) Name() string                           { return k.name }
func (k keyless) Verify([]byte, [][]byte) []sign.Verdict { return nil }
func (k keyless) Check([]byte, [][]byte) (string, error) { return "", k.why }
