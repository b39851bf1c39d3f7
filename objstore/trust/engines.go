package trust

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"deployfs/objstore/sign"
)

// engines are the schemes beside GPG of which an option such as sign-verify demands a
// signature, each with the keys that count for the remote. Where the option lists
// schemes, their keys must be the remote's own; where it is true, all schemes count,
// and the system's keys for those of which the remote has none. Nil: it demands
// nothing.
func (s system) engines(c config, option string) (list []sign.Checker, err error) {
	names, on, err := c.schemes(option)
	if err != nil || !on {
		return nil, err
	}
	listed := names != nil
	if !listed {
		names = sign.Names()
	}
	for _, name := range names {
		if !slices.Contains(sign.Names(), name) {
			return nil, sign.ErrNoScheme
		}
		keys, configured, err := s.own(c, name)
		switch {
		case err != nil:
			return nil, err
		case listed && !configured:
			return nil, fmt.Errorf("No keys found for required signapi type %s", name)
		case !configured:
			keys = s.fallback(name)
		}
		list = append(list, keys)
	}
	return list, nil
}

// fallback is a scheme with the system's keys, or one that tells why there are none.
func (s system) fallback(scheme string) sign.Checker {
	if scheme == "dummy" {
		return sign.Dummy{}
	}
	keys, err := s.store(scheme)
	if err != nil {
		return keyless{scheme, err}
	}
	return keys
}

// own is a scheme with a remote's own keys, and whether it is configured to have any.
// Keys that the system has revoked do not count here either.
func (s system) own(c config, scheme string) (checker sign.Checker, configured bool, err error) {
	path, file, err := c.option("verification-" + scheme + "-file")
	if err != nil {
		return nil, false, err
	}
	text, inline, err := c.option("verification-" + scheme + "-key")
	switch {
	case err != nil || !file && !inline:
		return nil, false, err
	case scheme == "dummy":
		checker, err = ownDummy(path, file, text)
		return checker, true, err
	}
	e := &sign.Keys{Scheme: scheme}
	if file {
		if e.Trusted, err = keyFile(scheme, path); err != nil {
			return nil, true, fileError(scheme, path, err)
		}
	}
	if inline {
		k, err := sign.ParseKey(scheme, text)
		if err != nil {
			return nil, true, inlineError(scheme, err)
		}
		e.Trusted = unique(e.Trusted, k)
	}
	e.Revoked, err = s.load(scheme, revoked)
	return e, true, err
}

func ownDummy(path string, file bool, text string) (sign.Checker, error) {
	if file {
		return nil, fileError("dummy", path, errors.New("keys of type dummy are in no files"))
	}
	if err := sign.CheckDummy(); err != nil {
		return nil, inlineError("dummy", err)
	}
	return sign.Dummy{Key: text}, nil
}

// keyError says that keys that a remote is configured to have can't be loaded, in
// ostree's words, which do not tell why.
type keyError struct {
	words string
	cause error
}

func fileError(scheme, path string, cause error) error {
	return &keyError{fmt.Sprintf("Failed loading '%s' keys from '%s", scheme, path), cause}
}

func inlineError(scheme string, cause error) error {
	cause = fmt.Errorf("verification-%s-key: %w", scheme, cause)
	return &keyError{fmt.Sprintf("Failed loading '%s' keys from inline `verification-key`", scheme), cause}
}

func (e *keyError) Error() string { return e.words }
func (e *keyError) Unwrap() error { return e.cause }
func (e *keyError) Hint() string  { return e.cause.Error() }

// keyless is a scheme that has no keys to check with.
type keyless struct {
	scheme string
	why    error
}

func (k keyless) Name() string { return k.scheme }

func (k keyless) Verify(_ []byte, signatures [][]byte) []sign.Verdict {
	return slices.Repeat([]sign.Verdict{{Result: sign.Unknown}}, len(signatures))
}

func (k keyless) Check(data []byte, signatures [][]byte) (success string, err error) {
	if signatures == nil {
		return new(sign.Keys{Scheme: k.scheme}).Check(data, nil)
	}
	return "", k.why
}

// listOf reads a list of a key file, whose items end with ; or are separated by , as
// `ostree remote add` writes them.
func listOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == ',' || r == ' ' })
}
