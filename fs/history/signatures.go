package history

import (
	"errors"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/facts"
	"deployfs/objstore/object"
	"deployfs/objstore/sign"
	"deployfs/objstore/trust"
)

// signatures is the state of a commit's signatures.
type signatures struct {
	Trusted *bool                `json:"trusted"`          // a good one is by a key that counts on this machine; null when not all keys can be read
	Remote  string               `json:"remote,omitempty"` // for which the key counts; "" is any
	Reasons []string             `json:"reasons"`          // why it is not trusted, as far as there are keys
	Schemes []string             `json:"schemes"`          // of the signatures that there are
	GPG     []facts.GPGSignature `json:"gpg,omitempty"`    // what these say of themselves: they are not checked
}

// signatures tells whether somebody whom this machine trusts has signed the commit.
func (c *commitFacts) signatures() (string, error) {
	detached, _, err := c.repo.CommitMeta(c.sum)
	if err != nil {
		return "", err
	}
	repo, err := objstore.Open(c.repo.Path()) // its configuration may be another by now
	if err != nil {
		return "", err
	}
	defer repo.Close()
	state := signatures{Schemes: append([]string{}, sign.Schemes(detached)...), GPG: facts.GPGSignatures(detached), Reasons: []string{}}
	state.judge(repo, c.sum)
	return marshal(state)
}

// judge asks for each remote, and for none, whether its keys have signed.
func (s *signatures) judge(repo *objstore.Repo, sum object.Checksum) {
	s.Trusted = new(bool)
	if len(s.Schemes) == 0 {
		s.Reasons = append(s.Reasons, "it has no signature")
		return
	}
	unreadable := false
	for _, remote := range append([]string{""}, remotes(repo)...) {
		err := trust.Check(repo, sum, remote)
		if err == nil {
			*s.Trusted, s.Remote, s.Reasons = true, remote, []string{}
			return
		}
		refused := (*trust.Error)(nil)
		if text := err.Error(); errors.As(err, &refused) {
			s.Reasons = append(s.Reasons, refused.Reason)
		} else {
			s.Reasons = append(s.Reasons, text)
			unreadable = true
		}
	}
	if unreadable {
		s.Trusted = nil
	}
}

// remotes are those that a repository is configured with.
func remotes(repo *objstore.Repo) (names []string) {
	for _, group := range repo.Config().Groups() {
		if quoted, ok := strings.CutPrefix(group, `remote "`); ok {
			names = append(names, strings.TrimSuffix(quoted, `"`))
		}
	}
	return names
}
