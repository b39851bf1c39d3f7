package openpgp

import (
	"errors"
	"slices"
	"strings"
)

// Why a name means no key, in gpgme's words.
var (
	errInvalidID   = errors.New("Invalid value")
	errAmbiguousID = errors.New("Ambiguous name")
	errNoKey       = errors.New("End of file")
)

// Find is the key that id names: the last 8 or more digits of a fingerprint, of the
// key or a subkey; or text that occurs in one of its user ids, whatever the case;
// or an address in angle brackets.
func (ring Keyring) Find(id string) (*Key, error) {
	if len(id) < minKeyID {
		return nil, errInvalidID
	}
	named := func(k *Key) bool { return k.hasUserID(id) }
	if digits := strings.ToUpper(strings.TrimPrefix(id, "0x")); isFingerprint(digits) {
		named = func(k *Key) bool { return k.hasFingerprint(digits) }
	}
	var found *Key
	for _, k := range ring {
		if named(k) {
			if found != nil {
				return nil, errAmbiguousID
			}
			found = k
		}
	}
	if found == nil {
		return nil, errNoKey
	}
	return found, nil
}

// isFingerprint reports whether upper-case text is a key id or a fingerprint.
func isFingerprint(text string) bool {
	return slices.Contains([]int{8, 16, 32, 40}, len(text)) && strings.Trim(text, "0123456789ABCDEF") == ""
}

func (k *Key) hasFingerprint(digits string) bool {
	return strings.HasSuffix(k.Primary.Fingerprint, digits) ||
		slices.ContainsFunc(k.Subkeys, func(p Part) bool { return strings.HasSuffix(p.Fingerprint, digits) })
}

func (k *Key) hasUserID(text string) bool {
	address, exact := strings.CutPrefix(text, "<")
	address = strings.TrimSuffix(address, ">")
	return slices.ContainsFunc(k.UserIDs, func(id UserID) bool {
		if exact {
			return strings.EqualFold(id.Email, address)
		}
		return strings.Contains(strings.ToLower(id.Text), strings.ToLower(text))
	})
}
