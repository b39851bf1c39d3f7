package openpgp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// minKeyID is the length of the shortest name of a key that is looked up.
const minKeyID = 8

// Signer signs with one key, by the program gpg.
type Signer struct {
	Home  string // gpg's home directory; "" is gpg's own choice
	KeyID string // a key's id, fingerprint or user id
}

// Scheme is "gpg".
func (Signer) Scheme() string { return "gpg" }

// Sign makes a signature.
func (s Signer) Sign(ctx context.Context, data []byte) ([]byte, error) {
	return Sign(ctx, s.Home, s.KeyID, data)
}

// Sign makes a binary detached signature of data with the secret key that keyID
// names, in gpg's home directory home; "" is gpg's own choice. Where keyID is a
// subkey's, gpg takes the newest subkey of that key that may sign. gpg may ask
// for a passphrase; it leaves its agent running.
func Sign(ctx context.Context, home, keyID string, data []byte) ([]byte, error) {
	key, err := secretKey(ctx, home, keyID)
	if err != nil {
		return nil, err
	}
	signature, err := gpg(ctx, home, data, "--detach-sign", "--local-user", key)
	if err != nil {
		return nil, fmt.Errorf("Failure signing commit file: %w", err)
	}
	return signature, nil
}

// secretKey is the fingerprint of the primary key that keyID names.
func secretKey(ctx context.Context, home, keyID string) (string, error) {
	shown := home
	if shown == "" {
		shown = "<default>"
	}
	if len(keyID) < minKeyID {
		return "", fmt.Errorf("Unable to lookup key ID %s: GPGME: Invalid value", keyID)
	}
	list, err := gpg(ctx, home, nil, "--with-colons", "--with-fingerprint", "--list-secret-keys", "--", keyID)
	if absent := (*absentError)(nil); errors.As(err, &absent) {
		return "", err
	}
	fingerprints := primaryFingerprints(list)
	switch {
	case len(fingerprints) == 0:
		return "", fmt.Errorf("No gpg key found with ID %s (homedir: %s)", keyID, shown)
	case len(fingerprints) > 1:
		return "", fmt.Errorf("gpg key id %s ambiguous (homedir: %s). Try the fingerprint instead", keyID, shown)
	}
	return fingerprints[0], nil
}

// primaryFingerprints takes them out of a listing with colons.
func primaryFingerprints(list []byte) (fingerprints []string) {
	const fingerprintField = 9
	primary := false
	for line := range strings.Lines(string(list)) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		switch {
		case fields[0] == "sec":
			primary = true
		case fields[0] == "fpr" && primary && len(fields) > fingerprintField:
			fingerprints = append(fingerprints, fields[fingerprintField])
			primary = false
		}
	}
	return fingerprints
}

// absentError says that there is no program gpg.
type absentError struct{ err error }

func (e *absentError) Error() string { return "running gpg: " + e.err.Error() }
func (e *absentError) Unwrap() error { return e.err }

// Hint is what can be done about it.
func (e *absentError) Hint() string {
	return "GPG signatures are made by the program gpg, of GnuPG; install it"
}

// gpg runs gpg over data and returns what it prints.
func gpg(ctx context.Context, home string, data []byte, args ...string) ([]byte, error) {
	options := []string{"--batch", "--no-tty", "--quiet"}
	if home != "" {
		options = append(options, "--homedir", home)
	}
	program, err := exec.LookPath("gpg")
	if err != nil {
		return nil, &absentError{err}
	}
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, program, append(options, args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(data), &out, &complaints
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return out.Bytes(), fmt.Errorf("gpg: %w%s", err, said(complaints.String()))
	}
	return out.Bytes(), nil
}

// said is gpg's last word, for an error.
func said(complaints string) string {
	lines := strings.Split(strings.TrimSpace(complaints), "\n")
	last := strings.TrimPrefix(lines[len(lines)-1], "gpg: ")
	if last == "" {
		return ""
	}
	return ": " + last
}
