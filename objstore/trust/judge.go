package trust

import (
	"fmt"
	"slices"
	"strings"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/refs"
	"deployfs/objstore/sign"
)

// judge tells, in words of our own, what is missing; nil is nothing.
func (p *Policy) judge(data []byte, detached gvariant.Value) *Error {
	for _, d := range p.commit {
		if refusal := p.meet(d, data, detached); refusal != nil {
			return refusal
		}
	}
	return nil
}

// meet tells why a demand is not met.
func (p *Policy) meet(d demand, data []byte, detached gvariant.Value) *Error {
	if len(d.checkers) == 0 {
		return p.noKeys(d)
	}
	var verdicts []sign.Verdict
	var tried []string
	for _, scheme := range d.checkers {
		signatures, err := sign.Signatures(detached, scheme.Name())
		if err != nil {
			return damagedSignature(err.Error())
		}
		tried = append(tried, scheme.Name())
		for _, v := range scheme.Verify(data, signatures) {
			if v.Result == sign.Bad {
				v.Reason = scheme.Name() + ": " + v.Reason
			}
			verdicts = append(verdicts, v)
		}
	}
	if len(verdicts) == 0 {
		return p.unsigned(sign.Schemes(detached), tried)
	}
	return p.refuse(sign.Best(verdicts))
}

// refuse words the best verdict.
func (p *Policy) refuse(best sign.Verdict) *Error {
	switch best.Result {
	case sign.Good:
		return nil
	case sign.Revoked:
		return &Error{Reason: "it is signed with a revoked key, " + best.Key, Remedy: "mount a commit that another key has signed"}
	case sign.Expired:
		return &Error{Reason: "its signature is no longer good: " + best.Reason, Remedy: "if the key was renewed, import it anew: `ostree remote gpg-import`"}
	case sign.Unknown:
		return &Error{
			Reason: "it is signed with no key that " + whose(p.remote) + " trusts",
			Remedy: "if you trust who signed it, add the key to " + keyPlace(p.remote),
		}
	}
	return damagedSignature(best.Reason)
}

func damagedSignature(reason string) *Error {
	return &Error{Reason: "its signature is damaged: " + reason, Remedy: "`ostree pull` fetches signatures anew"}
}

// unsigned words that there is no signature, or none but those of schemes of which
// there are no keys.
func (p *Policy) unsigned(schemes, tried []string) *Error {
	schemes = slices.DeleteFunc(schemes, func(name string) bool { return !refs.IsFragment(name) || slices.Contains(tried, name) })
	if len(schemes) == 0 {
		return &Error{Reason: "it has no signature", Remedy: "`ostree pull` fetches the signatures that the remote has by now"}
	}
	return &Error{
		Reason: fmt.Sprintf("it has only signatures of %s, of which %s has no keys", strings.Join(schemes, " and "), whose(p.remote)),
		Remedy: fmt.Sprintf("have it signed with %s, too, or add a key to %s", strings.Join(tried, " or "), keyPlace(p.remote)),
	}
}

func (p *Policy) noKeys(d demand) *Error {
	if p.listed != nil && !d.gpg() {
		return &Error{
			Reason: fmt.Sprintf("%s takes only signatures of %s, and has no key of its own for them", whose(p.remote), strings.Join(p.listed, " or ")),
			Remedy: "set verification-" + p.listed[0] + "-key of the remote",
		}
	}
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
		return "/etc/ostree/trusted.ed25519 or " + globalKeyrings()
	}
	return "verification-ed25519-key of remote " + remote + ", or with `ostree remote gpg-import " + remote + "`"
}
