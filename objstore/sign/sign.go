package sign

import (
	"fmt"
	"strings"

	"deployfs/objstore/gvariant"
)

// Scheme checks signatures of one kind against the keys that it holds.
type Scheme interface {
	// Name is what the scheme is called in configuration, such as "ed25519".
	Name() string
	// Verify gives a verdict on each signature of data, in their order.
	Verify(data []byte, signatures [][]byte) []Verdict
}

// Verdict is what a signature is worth.
type Verdict struct {
	Result Result
	Key    string // that made it, as configuration names it; "" when that is not known
	Reason string // why it is bad, or no longer good
}

// Result is the outcome of checking a signature. The better one is greater.
type Result uint8

// The results.
const (
	Bad     Result = iota // it can't be a signature, or is not of this data
	Unknown               // no known key made it
	Expired               // it was right, but it or its key has an end that is over
	Revoked               // it is right, but its key no longer counts
	Good
)

var resultNames = [...]string{"bad", "unknown", "expired", "revoked", "good"}

// String is the result in a word.
func (r Result) String() string { return resultNames[r] }

// Best is the first of the best verdicts; there must be one.
func Best(verdicts []Verdict) Verdict {
	best := verdicts[0]
	for _, v := range verdicts[1:] {
		if v.Result > best.Result {
			best = v
		}
	}
	return best
}

const (
	// maxSignatures bounds the signatures of one scheme on one commit: each is
	// tried with every key.
	maxSignatures = 64

	gpgKey    = "ostree.gpgsigs"
	keyPrefix = "ostree.sign."
)

// metadataKey is where a scheme's signatures stand in detached metadata.
func metadataKey(scheme string) string {
	if scheme == "gpg" {
		return gpgKey
	}
	return keyPrefix + scheme
}

// Signatures takes a scheme's signatures out of detached metadata, an a{sv} or
// the zero value; nil when it has none. They share the metadata's bytes.
func Signatures(detached gvariant.Value, scheme string) ([][]byte, error) {
	key := metadataKey(scheme)
	v, ok := detached.Lookup(key)
	switch {
	case !ok:
		return nil, nil
	case v.Type() != "aay":
		return nil, fmt.Errorf("%s is of type %s, want aay", key, v.Type())
	case v.Len() > maxSignatures:
		return nil, fmt.Errorf("%s holds %d signatures, at most %d are allowed", key, v.Len(), maxSignatures)
	}
	list := make([][]byte, v.Len())
	for i := range list {
		list[i] = v.At(i).ByteString()
	}
	return list, nil
}

// Schemes names the schemes of which detached metadata holds signatures.
func Schemes(detached gvariant.Value) (names []string) {
	for i := range detached.Len() {
		key := detached.At(i).At(0).Str()
		if key == gpgKey {
			names = append(names, "gpg")
		} else if name, ok := strings.CutPrefix(key, keyPrefix); ok {
			names = append(names, name)
		}
	}
	return names
}
