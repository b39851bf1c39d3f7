package history

import (
	"errors"
	"strings"

	"deployfs/objstore/facts"
	"deployfs/objstore/sign"
	"deployfs/objstore/trust"
)

// signatures is the state of a commit's signatures.
type signatures struct {
	Trusted bool                 `json:"trusted"`          // a good one is by a key that counts on this machine
	Remote  string               `json:"remote,omitempty"` // for which the key counts; "" is any
	Reason  string               `json:"reason,omitempty"` // why it is not trusted
	Schemes []string             `json:"schemes"`          // of the signatures that there are
	GPG     []facts.GPGSignature `json:"gpg,omitempty"`    // what these say of themselves: they are not checked
}

// signatures tells whether somebody whom this machine trusts has signed the commit.
func (c *commitFacts) signatures() (string, error) {
	detached, _, err := c.repo.CommitMeta(c.sum)
	if err != nil {
		return "", err
	}
	state := signatures{Schemes: append([]string{}, sign.Schemes(detached)...), GPG: facts.GPGSignatures(detached)}
	if len(state.Schemes) == 0 {
		state.Reason = "it has no signature"
		return marshal(state)
	}
	for _, remote := range append([]string{""}, c.remotes()...) {
		err := trust.Check(c.repo, c.sum, remote)
		if err == nil {
			state.Trusted, state.Remote, state.Reason = true, remote, ""
			break
		}
		if state.Reason == "" {
			state.Reason = reason(err)
		}
	}
	return marshal(state)
}

func reason(err error) string {
	if refused := (*trust.Error)(nil); errors.As(err, &refused) {
		return refused.Reason
	}
	return err.Error()
}

// remotes are those that the repository is configured with.
func (c *commitFacts) remotes() (names []string) {
	for _, group := range c.repo.Config().Groups() {
		if quoted, ok := strings.CutPrefix(group, `remote "`); ok {
			names = append(names, strings.TrimSuffix(quoted, `"`))
		}
	}
	return names
}
