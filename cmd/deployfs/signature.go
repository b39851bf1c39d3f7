package main

import (
	"fmt"
	"io"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore/object"
	"deployfs/objstore/openpgp"
	"deployfs/objstore/sign"
	"deployfs/objstore/trust"
)

// signatures tells what a commit's GPG signatures are worth; no line when it has none.
func (s *shower) signatures(sum object.Checksum, data []byte) error {
	results, err := s.check(sum, data)
	if err != nil || results == nil {
		return err
	}
	return printSignatures(s.out, results)
}

// check checks a commit's GPG signatures, with the keys of a remote or with all there are; nil when
// it has none.
func (s *shower) check(sum object.Checksum, data []byte) ([]openpgp.Result, error) {
	detached, _, err := s.repo.CommitMeta(sum)
	if err != nil {
		return nil, err
	}
	if v, ok := detached.Lookup("ostree.gpgsigs"); !ok || v.Type() != "aay" {
		return nil, nil // to ostree, too, what is of another type is none
	}
	signatures, err := sign.Signatures(detached, "gpg")
	if err != nil {
		return nil, err
	}
	var ring openpgp.Keyring
	if s.gpgRemote != "" {
		ring, err = trust.KeysFor(s.repo, s.gpgRemote)
	} else {
		ring, err = trust.AllKeys(s.repo, s.gpgHome)
	}
	if err != nil {
		return nil, cli.Words(err.Error()) // as ostree says it, without a remedy
	}
	results := openpgp.Verify(ring, data, signatures)
	if openpgp.NoData(results) {
		return nil, openpgp.ErrNoData
	}
	return results, nil
}

// printSignatures tells of signatures in ostree's words.
func printSignatures(w io.Writer, results []openpgp.Result) error {
	plural := "s"
	if len(results) == 1 {
		plural = ""
	}
	text := fmt.Sprintf("Found %d signature%s:\n", len(results), plural)
	for _, r := range results {
		text += "\n" + r.Describe("  ")
	}
	_, err := io.WriteString(w, text)
	return err
}
