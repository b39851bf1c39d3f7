package main

import (
	"fmt"
	"io"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore/facts"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/openpgp"
	"deployfs/objstore/sign"
	"deployfs/objstore/trust"
)

// signatures tells what a commit's signatures are worth; no line when it has none.
func (s *shower) signatures(sum object.Checksum, data []byte) error {
	detached, _, err := s.repo.CommitMeta(sum)
	if err != nil {
		return err
	}
	return s.printVerdicts("Found %s:", data, detached)
}

// printVerdicts tells what the signatures of data that an a{sv} holds are worth, behind a heading that
// has a place for how many there are. Those of other schemes than GPG are not for ostree's output, which
// has none.
func (s *shower) printVerdicts(heading string, data []byte, detached gvariant.Value) error {
	results, err := s.checkGPG(data, detached)
	if err != nil {
		return err
	}
	if results != nil {
		if err := printSignatures(s.out, heading, results); err != nil {
			return err
		}
	}
	if s.inv.Program.Terse {
		return nil
	}
	others, err := s.checkOthers(data, detached)
	if err != nil {
		return err
	}
	return printOthers(s.out, heading, others)
}

// checkOthers checks the signatures of other schemes than GPG. Unless one remote is asked for, keys
// that can't be read are only told of.
func (s *shower) checkOthers(data []byte, detached gvariant.Value) ([]trust.Judged, error) {
	list, err := trust.Verdicts(s.repo, s.gpgRemote, data, detached)
	if err != nil && s.gpgRemote == "" {
		s.inv.Note(fmt.Sprintf("note: signatures other than GPG's are not checked: %v", err))
		return nil, nil
	}
	return list, err
}

// checkGPG checks the GPG signatures of data that an a{sv} holds, with the keys of a remote or with
// all there are; nil when there is none.
func (s *shower) checkGPG(data []byte, detached gvariant.Value) (results []openpgp.Result, err error) {
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
	if results = openpgp.Verify(ring, data, signatures); openpgp.NoData(results) {
		return nil, openpgp.ErrNoData
	}
	return results, nil
}

// printSignatures tells of GPG signatures in ostree's words, behind a heading that has a place for how
// many there are.
func printSignatures(w io.Writer, heading string, results []openpgp.Result) error {
	text := fmt.Sprintf(heading, countOf(len(results), "signature")) + "\n"
	for _, r := range results {
		text += "\n" + r.Describe("  ")
	}
	_, err := io.WriteString(w, text)
	return err
}

func countOf(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// printOthers tells of signatures of other schemes, those of each behind one heading.
func printOthers(w io.Writer, heading string, list []trust.Judged) error {
	var text strings.Builder
	for i, j := range list {
		if i == 0 || j.Scheme != list[i-1].Scheme {
			n := 0
			for _, other := range list {
				if other.Scheme == j.Scheme {
					n++
				}
			}
			fmt.Fprintf(&text, heading+"\n\n", countOf(n, j.Scheme+" signature"))
		}
		text.WriteString("  " + verdictText(j) + "\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func verdictText(j trust.Judged) string {
	switch j.Result {
	case sign.Good:
		return "Good signature with key " + j.Key + ", which counts for " + holders(j.For)
	case sign.Revoked:
		return "Signature with the revoked key " + j.Key
	case sign.Bad:
		return "BAD signature: " + j.Reason
	}
	return "Can't check signature: public key not found"
}

// holders are remotes, and the system, in words.
func holders(remotes []string) string {
	var words []string
	for _, name := range remotes {
		if name == "" {
			words = append(words, "the system")
		} else {
			words = append(words, "remote "+name)
		}
	}
	return strings.Join(words, " and ")
}

// othersJSON are signatures of other schemes in JSON.
func othersJSON(list []trust.Judged) (out []facts.Signature) {
	for _, j := range list {
		out = append(out, facts.Signature{Scheme: j.Scheme, Status: j.Result.String(), Key: j.Key, For: j.For})
	}
	return out
}
