package openpgp

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// Import puts the public keys of sources to a keyring and returns its new
// contents, of OpenPGP packets, and how many of the keys are new to it. With
// keyIDs, only what these name is taken; each must name one key. Keys that are
// there already get what the sources know beside it, such as a new end or a
// revocation. What no signature of the key itself confirms is not taken.
func Import(ring []byte, sources [][]byte, keyIDs []string) (updated []byte, imported int, err error) {
	available, err := ParseKeyring(sources...)
	if err != nil {
		return nil, 0, err
	}
	if len(keyIDs) > 0 {
		if available, err = available.selected(keyIDs); err != nil {
			return nil, 0, err
		}
	}
	if len(available) == 0 {
		return nil, 0, errNoKeys
	}
	old, err := blocksIn(ring)
	if err != nil {
		return nil, 0, fmt.Errorf("the keyring is damaged: %w", err)
	}
	var all blockSet
	for _, b := range old {
		all.add(b)
	}
	for _, k := range available {
		if b := k.confirmed(); b != nil && !all.add(b) {
			imported++
		}
	}
	var out bytes.Buffer
	for _, b := range all.list {
		if err := b.write(&out); err != nil {
			return nil, 0, err
		}
	}
	return out.Bytes(), imported, nil
}

// selected are the keys that ids name.
func (ring Keyring) selected(ids []string) (keys Keyring, err error) {
	for _, id := range ids {
		k, err := ring.Find(id)
		if err != nil {
			return nil, fmt.Errorf("Unable to find key %q: GPGME: %w", id, err)
		}
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// confirmed is the block without the user ids and subkeys that the key itself has
// signed nowhere; nil when no user id is left.
func (k *Key) confirmed() block {
	signed := map[string]bool{}
	for _, id := range k.UserIDs {
		signed[id.Text] = id.signature != nil
	}
	if k.Primary.Invalid || !selfSigned(k.UserIDs) {
		return nil
	}
	bound := map[string]bool{}
	for _, sub := range k.Subkeys {
		bound[sub.Fingerprint] = sub.bound
	}
	return slices.DeleteFunc(slices.Clone(k.block), func(c component) bool {
		switch c.head.Tag {
		case tagUserID:
			return !signed[string(c.head.Contents)]
		case tagPublicSubkey:
			sub := publicKey(c.head)
			return sub == nil || !bound[newPart(sub).Fingerprint]
		}
		return false
	})
}

// errNoKeys is that there is nothing to import, in ostree's words.
var errNoKeys = errors.New("Unable to export keys: GPGME: No data")
