package trust

import (
	"errors"
	"slices"

	"deployfs/objstore"
	"deployfs/objstore/sign"
)

// required is whose signature a commit needs of which one is asked for whatever the
// configuration says: by keys of its remote, or, without one, of the system.
func (s system) required(repo *objstore.Repo, remote string) (*Policy, error) {
	p := &Policy{remote: remote}
	if remote == "" {
		signs, err := s.systemEngines()
		if err != nil {
			return nil, err
		}
		var rings keyrings
		rings.global()
		return p, p.require(signs, rings, false)
	}
	c, err := s.remote(repo, remote)
	if err != nil {
		return nil, err
	}
	names, demanded, err := c.schemes("sign-verify")
	if err != nil {
		return nil, err
	}
	p.listed = names
	signs, own, err := s.ownEngines(c, names)
	if err != nil {
		return nil, err
	}
	return p, s.requireFor(p, c, signs, own || names != nil, demanded)
}

// requireFor demands signatures by a remote's keys: by the system's only where the
// remote has none of its own, of whatever scheme. Bound is that it has some, or must
// have some, beside those of GPG; sign that sign-verify demands a signature.
func (s system) requireFor(p *Policy, c config, signs []sign.Checker, bound, sign bool) error {
	counts, both, err := c.verifiesGPG(p.listed != nil)
	if err != nil {
		return err
	}
	both = both && sign
	var rings keyrings
	if counts {
		if rings, _, err = c.keyrings(); err != nil {
			return err
		}
	}
	own := len(rings.files) > 0
	if !bound && !own {
		if signs, err = s.systemEngines(); err != nil {
			return err
		}
	}
	if counts && !own && (!bound || both) {
		rings.global()
	}
	return p.require(signs, rings, both)
}

// verifiesGPG is whether GPG signatures count, which they do unless gpg-verify is
// false, or unset where sign-verify lists what counts; and whether it is true.
func (c config) verifiesGPG(listed bool) (counts, demanded bool, err error) {
	if _, set, err := c.option("gpg-verify"); err != nil || !set {
		return !listed, false, err
	}
	counts, err = c.boolean("gpg-verify", true)
	return counts, counts, err
}

// require demands a good signature of one of the schemes or of GPG, or of both. What
// has no keys counts for nothing.
func (p *Policy) require(signs []sign.Checker, rings keyrings, both bool) error {
	ring, err := rings.parse()
	if err != nil {
		return err
	}
	var gpg []sign.Checker
	if len(ring) > 0 {
		gpg = []sign.Checker{gpgBy(ring)}
	}
	if both {
		p.commit = []demand{{"sign-verify", signs}, {"gpg-verify", gpg}}
	} else {
		p.commit = []demand{{"", append(signs, gpg...)}}
	}
	return nil
}

// protecting are the schemes beside GPG that tell who has signed.
func protecting() []string {
	return slices.DeleteFunc(sign.Names(), func(name string) bool { return name == "dummy" })
}

// ownEngines are those of the named schemes of which a remote has keys of its own, nil
// being all; and whether it is configured to have keys of any scheme.
func (s system) ownEngines(c config, names []string) (list []sign.Checker, configured bool, err error) {
	for _, name := range protecting() {
		e, ok, err := s.own(c, name)
		if failed := (*keyError)(nil); errors.As(err, &failed) {
			err = failed.cause
		}
		if err != nil {
			return nil, true, err
		}
		configured = configured || ok
		if ok && (names == nil || slices.Contains(names, name)) {
			list = append(list, e)
		}
	}
	return list, configured, nil
}

// systemEngines are the schemes of which the system has keys.
func (s system) systemEngines() (list []sign.Checker, err error) {
	for _, name := range protecting() {
		e := &sign.Keys{Scheme: name}
		if e.Trusted, err = s.load(name, trusted); err != nil {
			return nil, err
		}
		if e.Revoked, err = s.load(name, revoked); err != nil {
			return nil, err
		}
		if len(e.Trusted) > 0 {
			list = append(list, e)
		}
	}
	return list, nil
}
