package trust

import (
	"slices"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/sign"
)

// Judged is what a signature is worth to this machine.
type Judged struct {
	Scheme string
	sign.Verdict
	For []string // the remotes for which the key counts, or has counted; "" is the system
}

// Verdicts are those on the signatures of data that detached metadata holds, an a{sv} or
// the zero value, but for those of GPG: by the keys that count for one remote, or, where
// that is "", by those of all remotes and of the system.
func Verdicts(repo *objstore.Repo, remote string, data []byte, detached gvariant.Value) ([]Judged, error) {
	return machine.verdicts(repo, remote, data, detached)
}

func (s system) verdicts(repo *objstore.Repo, remote string, data []byte, detached gvariant.Value) (list []Judged, err error) {
	for _, scheme := range protecting() {
		signatures, err := sign.Signatures(detached, scheme)
		if err != nil {
			return nil, err
		}
		if len(signatures) == 0 {
			continue
		}
		holders, err := s.holders(repo, remote, scheme)
		if err != nil {
			return nil, err
		}
		for _, signature := range signatures {
			list = append(list, judge(holders, scheme, data, signature))
		}
	}
	return list, nil
}

// holder is somebody who trusts keys.
type holder struct {
	remote string // "" is the system
	keys   sign.Scheme
}

// judge is the best verdict of all holders.
func judge(holders []holder, scheme string, data, signature []byte) Judged {
	best := Judged{Scheme: scheme, Verdict: sign.Verdict{Result: sign.Unknown}}
	for i, h := range holders {
		switch v := h.keys.Verify(data, [][]byte{signature})[0]; {
		case i == 0, v.Result > best.Result:
			best.Verdict, best.For = v, []string{h.remote}
		case v == best.Verdict:
			best.For = append(best.For, h.remote)
		}
	}
	if best.Result == sign.Unknown || best.Result == sign.Bad {
		best.For = nil
	}
	return best
}

// holders are those whose keys of a scheme count for a remote, or for any.
func (s system) holders(repo *objstore.Repo, remote, scheme string) (list []holder, err error) {
	names := []string{remote}
	if remote == "" {
		places, err := s.places.Load(repo)
		if err != nil {
			return nil, err
		}
		names = places.Names()
	}
	for _, name := range names {
		c, err := s.remote(repo, name)
		if err != nil {
			return nil, err
		}
		keys, configured, err := s.own(c, scheme)
		if err != nil {
			return nil, err
		}
		if configured {
			list = append(list, holder{name, keys})
		}
	}
	if remote != "" && len(list) > 0 {
		return list, nil
	}
	all, err := s.systemEngines()
	if i := slices.IndexFunc(all, func(c sign.Checker) bool { return c.Name() == scheme }); i >= 0 {
		list = append(list, holder{"", all[i]})
	}
	return list, err
}
