package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore/facts"
	"deployfs/objstore/object"
)

// signatures lists a commit's signatures; no line when it has none.
func (s *shower) signatures(sum object.Checksum) error {
	detached, ok, err := s.repo.CommitMeta(sum)
	if err != nil || !ok {
		return err
	}
	list := facts.GPGSignatures(detached)
	if len(list) == 0 {
		return nil
	}
	keys, err := s.hasKeys()
	if err != nil {
		return err
	}
	return printSignatures(s.out, list, keys)
}

// hasKeys tells whether there are keys to check signatures with.
func (s *shower) hasKeys() (bool, error) {
	if s.gpgRemote != "" && !s.repo.Config().HasGroup(`remote "`+s.gpgRemote+`"`) {
		return false, cli.Words(`Remote "` + s.gpgRemote + `" not found`)
	}
	patterns := []string{"/usr/share/ostree/trusted.gpg.d/*.gpg"}
	if s.gpgHome != "" {
		if _, err := os.ReadDir(s.gpgHome); errors.Is(err, fs.ErrNotExist) {
			return false, cli.Words("opendir(" + s.gpgHome + "): No such file or directory")
		}
		patterns = append(patterns, s.gpgHome+"/*.gpg", s.gpgHome+"/*.asc")
	}
	for r := s.repo; r != nil; r = r.Parent() {
		patterns = append(patterns, r.Path()+"/*.trustedkeys.gpg")
	}
	for _, pattern := range patterns {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// printSignatures prints them as ostree does where it knows no key.
func printSignatures(w io.Writer, list []facts.GPGSignature, keyring bool) error {
	plural := "s"
	if len(list) == 1 {
		plural = ""
	}
	why := "public key not found"
	if keyring {
		why = "verification is not available in this version"
	}
	text := fmt.Sprintf("Found %d signature%s:\n", len(list), plural)
	for _, sig := range list {
		text += fmt.Sprintf("\n  Signature made %s using %s key ID %s\n  Can't check signature: %s\n",
			sig.Created.Local().Format("Mon Jan _2 15:04:05 2006"), sig.Algorithm, sig.KeyID, why)
	}
	_, err := io.WriteString(w, text)
	return err
}
