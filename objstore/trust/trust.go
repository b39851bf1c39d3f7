package trust

import (
	"fmt"
	"slices"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/sign"
)

// Error says why a commit is not trusted.
type Error struct {
	Commit object.Checksum
	Reason string
	Remedy string
}

func (e *Error) Error() string {
	return fmt.Sprintf("commit %s: signature required: %s", e.Commit, e.Reason)
}

// Hint is what can be done about it.
func (e *Error) Hint() string { return e.Remedy }

// RemoteOf is the remote that rev names, as in REMOTE:REF^, or "".
func RemoteOf(rev string) string {
	spec, err := refs.Parse(strings.TrimRight(rev, "^"))
	if err != nil {
		return ""
	}
	return spec.Remote
}

// Check fails, with an [*Error] where the commit or the keys are what it fails
// for, unless commit has a good signature by a key that counts for remote; "" is
// no remote.
func Check(repo *objstore.Repo, commit object.Checksum, remote string) error {
	return machine.check(repo, commit, remote)
}

func (s system) check(repo *objstore.Repo, commit object.Checksum, remote string) error {
	p, err := s.policy(repo, remote)
	if err != nil {
		return fmt.Errorf("keys of %s: %w", whose(remote), err)
	}
	data, err := repo.Metadata(object.Name{Checksum: commit, Kind: object.KindCommit})
	if err != nil {
		return err
	}
	detached, _, err := repo.CommitMeta(commit)
	if err != nil {
		return err
	}
	if refusal := p.judge(data, detached); refusal != nil {
		refusal.Commit = commit
		return refusal
	}
	return nil
}

// policy is whose signatures count.
type policy struct {
	remote  string
	listed  []string // the only schemes that count; nil is any
	trusted []sign.Key
	revoked []sign.Key
}

// judge tells what is missing; nil is nothing.
func (p *policy) judge(data []byte, detached gvariant.Value) *Error {
	scheme := sign.Scheme(&sign.Ed25519{Trusted: p.trusted, Revoked: p.revoked})
	if p.listed != nil && !slices.Contains(p.listed, scheme.Name()) {
		return &Error{
			Reason: fmt.Sprintf("%s takes only signatures of %q, which can't be checked yet", whose(p.remote), p.listed),
			Remedy: "add ed25519 to its sign-verify, with a key",
		}
	}
	if len(p.trusted) == 0 {
		return p.noKeys()
	}
	signatures, err := sign.Signatures(detached, scheme.Name())
	switch {
	case err != nil:
		return damagedSignature(err.Error())
	case len(signatures) == 0:
		return unsigned(sign.Schemes(detached))
	}
	return p.refuse(sign.Best(scheme.Verify(data, signatures)))
}

// refuse words the best verdict.
func (p *policy) refuse(best sign.Verdict) *Error {
	switch best.Result {
	case sign.Good:
		return nil
	case sign.Revoked:
		return &Error{Reason: "it is signed with a revoked key, " + best.Key, Remedy: "mount a commit that another key has signed"}
	case sign.Unknown:
		return &Error{
			Reason: "it is signed with no key that " + whose(p.remote) + " trusts",
			Remedy: "if you trust who signed it, add the key to " + keyPlace(p.remote),
		}
	}
	return damagedSignature("ed25519: " + best.Reason)
}

func damagedSignature(reason string) *Error {
	return &Error{Reason: "its signature is damaged: " + reason, Remedy: "`ostree pull` fetches signatures anew"}
}

// unsigned words that there is no signature, or none but those of other schemes.
func unsigned(schemes []string) *Error {
	schemes = slices.DeleteFunc(schemes, func(name string) bool { return !refs.IsFragment(name) || name == "ed25519" })
	if len(schemes) == 0 {
		return &Error{Reason: "it has no signature", Remedy: "`ostree pull` fetches the signatures that the remote has by now"}
	}
	return &Error{
		Reason: fmt.Sprintf("it has only signatures of %s, which can't be checked yet", strings.Join(schemes, " and ")),
		Remedy: "have it signed with ed25519, too",
	}
}

func (p *policy) noKeys() *Error {
	remedy := "add one to " + keyPlace(p.remote)
	if p.remote == "" {
		remedy = "name the commit as REMOTE:REF, or the remote with --sign-remote=REMOTE, or " + remedy
	}
	return &Error{Reason: "there is no key for " + whose(p.remote), Remedy: remedy}
}

func whose(remote string) string {
	if remote == "" {
		return "the system"
	}
	return "remote " + remote
}

// keyPlace is where a key is added.
func keyPlace(remote string) string {
	if remote == "" {
		return "/etc/ostree/trusted.ed25519"
	}
	return "verification-ed25519-key of remote " + remote
}
