package trust

import (
	"fmt"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
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
	p, err := s.required(repo, remote)
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
