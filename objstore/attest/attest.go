// Package attest signs commits that are in a repository, and takes signatures of
// them away.
//
// Source: ostree, ostree_repo_sign_commit, ostree_sign_commit and
// src/ostree/ot-builtin-gpg-sign.c.
package attest

import (
	"context"
	"fmt"
	"slices"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/openpgp"
	"deployfs/objstore/sign"
	"deployfs/objstore/transaction"
	"deployfs/objstore/trust"
)

// signed is a commit, and what is known of it beside.
type signed struct {
	repo     *objstore.Repo
	sum      object.Checksum
	data     []byte
	detached gvariant.Value
}

func load(repo *objstore.Repo, commit object.Checksum) (s signed, err error) {
	s = signed{repo: repo, sum: commit}
	if s.data, err = repo.Metadata(object.Name{Checksum: commit, Kind: object.KindCommit}); err != nil {
		return s, fmt.Errorf("Failed to read commit: %w", err)
	}
	if s.detached, _, err = repo.CommitMeta(commit); err != nil {
		return s, fmt.Errorf("Failed to read detached metadata: %w", err)
	}
	return s, nil
}

// Sign adds a signature by each of the signers to a commit, all or none.
func Sign(ctx context.Context, repo *objstore.Repo, commit object.Checksum, signers ...sign.Signer) error {
	s, err := load(repo, commit)
	if err != nil {
		return err
	}
	return s.add(ctx, signers...)
}

func (s signed) add(ctx context.Context, signers ...sign.Signer) error {
	meta, err := sign.Add(ctx, s.detached, s.data, signers...)
	if err != nil {
		return err
	}
	return transaction.WriteDetached(s.repo, s.sum, meta)
}

// SignGPG adds a GPG signature to a commit, unless it has one by that key: as far as
// keyrings of the repository, or files *.gpg in gpg's home directory, tell.
func SignGPG(ctx context.Context, repo *objstore.Repo, commit object.Checksum, signer openpgp.Signer) error {
	s, err := load(repo, commit)
	if err != nil {
		return err
	}
	ring, err := trust.AllKeys(repo, signer.Home)
	if err != nil {
		return fmt.Errorf("GPG: %w", err)
	}
	signatures, err := sign.Signatures(s.detached, signer.Scheme())
	if err != nil {
		return err
	}
	if key, err := ring.Find(signer.KeyID); err == nil && slices.ContainsFunc(signatures, by(ring, s.data, key)) {
		return fmt.Errorf("Commit is already signed with GPG key %s", signer.KeyID)
	}
	return s.add(ctx, signer)
}

// by tells which signatures of data are by one of the keys, or claim to be.
func by(ring openpgp.Keyring, data []byte, keys ...*openpgp.Key) func(signature []byte) bool {
	return func(signature []byte) bool {
		return slices.ContainsFunc(openpgp.Verify(ring, data, [][]byte{signature}), func(r openpgp.Result) bool {
			return r.Key != nil && slices.Contains(keys, r.Key)
		})
	}
}

// DeleteGPG takes away the GPG signatures by the keys that keyIDs name in the
// keyrings that [SignGPG] looks at, and returns how many these were. Names of no key
// are passed over.
func DeleteGPG(repo *objstore.Repo, commit object.Checksum, home string, keyIDs []string) (int, error) {
	s, err := load(repo, commit)
	if err != nil {
		return 0, err
	}
	ring, err := trust.AllKeys(repo, home)
	if err != nil {
		return 0, fmt.Errorf("GPG: %w", err)
	}
	var keys []*openpgp.Key
	for _, id := range keyIDs {
		if key, err := ring.Find(id); err == nil {
			keys = append(keys, key)
		}
	}
	return s.remove("gpg", by(ring, s.data, keys...))
}

// Delete takes away the signatures that a scheme says are good, and returns how many
// these were.
func Delete(repo *objstore.Repo, commit object.Checksum, schemes ...sign.Scheme) (deleted int, err error) {
	for _, scheme := range schemes {
		s, err := load(repo, commit)
		if err != nil {
			return deleted, err
		}
		n, err := s.remove(scheme.Name(), func(signature []byte) bool {
			return scheme.Verify(s.data, [][]byte{signature})[0].Result == sign.Good
		})
		if deleted += n; err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// Check says which signature of a commit is good, or fails, in ostree's words.
func Check(repo *objstore.Repo, commit object.Checksum, checker sign.Checker) (success string, err error) {
	s, err := load(repo, commit)
	if err != nil {
		return "", err
	}
	signatures, err := sign.Signatures(s.detached, checker.Name())
	if err != nil {
		return "", err
	}
	return checker.Check(s.data, signatures)
}

// remove takes the signatures of a scheme away of which matches is true. Without any
// such the commit stays as it is.
func (s signed) remove(scheme string, matches func(signature []byte) bool) (int, error) {
	signatures, err := sign.Signatures(s.detached, scheme)
	if err != nil {
		return 0, err
	}
	left := slices.DeleteFunc(slices.Clone(signatures), matches)
	if len(left) == len(signatures) {
		return 0, nil
	}
	if err := transaction.WriteDetached(s.repo, s.sum, sign.Set(s.detached, scheme, left)); err != nil {
		return 0, err
	}
	return len(signatures) - len(left), nil
}
