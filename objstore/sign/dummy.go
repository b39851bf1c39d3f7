package sign

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
)

// Dummy is the scheme of ostree's tests: a key is its own signature, of anything.
// Unless the environment allows it, no signature is good. The empty key is none.
type Dummy struct{ Key string }

// Name is "dummy".
func (Dummy) Name() string { return "dummy" }

// Verify compares.
func (d Dummy) Verify(_ []byte, signatures [][]byte) (verdicts []Verdict) {
	allowed := CheckDummy() == nil && d.Key != ""
	for _, s := range signatures {
		v := Verdict{Result: Unknown}
		if allowed && bytes.Equal(s, []byte(d.Key)) {
			v = Verdict{Result: Good, Key: d.Key}
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// Check compares.
func (d Dummy) Check(data []byte, signatures [][]byte) (success string, err error) {
	if err := CheckDummy(); err != nil {
		return "", err
	}
	switch {
	case signatures == nil:
		return "", errors.New("signature: dummy: commit have no signatures of my type")
	case len(signatures) == 0:
		return "", errors.New("signature: dummy: no signatures")
	case Best(d.Verify(data, signatures)).Result != Good:
		return "", fmt.Errorf("signature: dummy: incorrect signatures found: %d", len(signatures))
	}
	return "dummy: Signature verified", nil
}

// dummy is a key that is its own signature, of anything.
type dummy string

func (dummy) Scheme() string { return "dummy" }

func (d dummy) Sign(context.Context, []byte) ([]byte, error) { return []byte(d), nil }

// CheckDummy fails unless the environment allows the scheme that is no protection.
func CheckDummy() error {
	if os.Getenv("OSTREE_DUMMY_SIGN_ENABLED") != "1" {
		return errors.New("dummy signature type is only for ostree testing")
	}
	return nil
}
