package trust

import (
	"deployfs/objstore"
	"deployfs/objstore/openpgp"
	"deployfs/objstore/sign"
)

// collected are the keys that count, and what they count for.
type collected struct {
	ed25519 sign.Ed25519
	ring    openpgp.Keyring
	listed  []string // the schemes beside gpg that count; nil is any
	both    bool     // a GPG signature and another one are demanded
}

// collect gathers the keys that count for what comes from remote.
func (s system) collect(repo *objstore.Repo, remote string) (k collected, err error) {
	if remote == "" {
		if k.ed25519.Trusted, err = s.load("trusted"); err != nil {
			return k, err
		}
		k.ring, err = GlobalKeys()
		return k, err
	}
	c, err := s.remote(repo, remote)
	if err != nil {
		return k, err
	}
	var own bool
	k.listed = c.schemes()
	if k.ed25519.Trusted, own, err = c.keys(); err != nil {
		return k, err
	}
	gpg, demanded, err := c.verifiesGPG()
	if err != nil {
		return k, err
	}
	k.both = demanded && c.verifiesSign()
	var rings keyrings
	if gpg {
		if rings, _, err = c.keyrings(); err != nil {
			return k, err
		}
	}
	return k, s.fallBack(&k, rings, own || k.listed != nil, gpg)
}

// fallBack takes the system's keys where a remote has none of its own: one that has
// some, of whatever scheme, is bound to them.
func (s system) fallBack(k *collected, rings keyrings, own, gpg bool) (err error) {
	ownRing := len(rings.files) > 0
	if !own && !ownRing {
		if k.ed25519.Trusted, err = s.load("trusted"); err != nil {
			return err
		}
	}
	if gpg && !ownRing && (!own || k.both) {
		rings.global()
	}
	k.ring, err = rings.parse()
	return err
}

// verifiesGPG is whether GPG signatures count, which they do unless gpg-verify is
// false, or unset where sign-verify lists what counts; and whether it is true.
func (c config) verifiesGPG() (counts, demanded bool, err error) {
	if _, set := c.Get("gpg-verify"); !set {
		return c.schemes() == nil, false, nil
	}
	counts, err = c.Bool("gpg-verify", true)
	return counts, counts, err
}

// verifiesSign is whether sign-verify demands a signature.
func (c config) verifiesSign() bool {
	if c.schemes() != nil {
		return true
	}
	on, err := c.Bool("sign-verify", false)
	return err == nil && on
}
