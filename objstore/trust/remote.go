package trust

import (
	"errors"
	"fmt"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/refs"
	"deployfs/objstore/remote"
	"deployfs/objstore/sign"
)

// config is what is configured about one remote.
type config struct {
	*remote.Remote
	list *remote.List
}

// absentRemote says that nothing is configured under a remote's name.
type absentRemote struct{ *remote.NotFoundError }

// Hint is what can be done about it.
func (absentRemote) Hint() string { return "`ostree remote list` shows the remotes there are" }

// remote finds the configuration of a remote.
func (s system) remote(repo *objstore.Repo, name string) (c config, err error) {
	if !refs.IsFragment(name) {
		return c, errors.New("not a remote's name")
	}
	if c.list, err = s.places.Load(repo); err != nil {
		return c, err
	}
	c.Remote, err = c.list.Find(name)
	if absent := (*remote.NotFoundError)(nil); errors.As(err, &absent) {
		err = absentRemote{absent}
	}
	return c, err
}

// schemes is what sign-verify lists. When it says only whether a pull verifies,
// that is nil: any scheme counts.
func (c config) schemes() []string {
	text, _ := c.Get("sign-verify")
	text = strings.TrimSpace(text)
	switch text {
	case "", "true", "false", "1", "0":
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, ";"), ";")
}

// keys is the remote's own keys, and whether it is configured to have any.
func (c config) keys() (keys []sign.Key, any bool, err error) {
	if path, ok := c.Get("verification-ed25519-file"); ok {
		any = true
		if keys, err = readKeys(path); err != nil {
			return nil, true, err
		}
	}
	if text, ok := c.Get("verification-ed25519-key"); ok {
		any = true
		key, err := sign.ParseKey(strings.TrimSpace(text))
		if err != nil {
			return nil, true, fmt.Errorf("verification-ed25519-key: %w", err)
		}
		keys = append(keys, key)
	}
	return keys, any, nil
}
