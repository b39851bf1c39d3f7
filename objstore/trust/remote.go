package trust

import (
	"errors"
	"fmt"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/refs"
	"deployfs/objstore/remote"
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
		return c, absentRemote{&remote.NotFoundError{Name: name}}
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

// option is the value of a key, which a parent's remote of the same name may have.
func (c config) option(key string) (value string, ok bool, err error) {
	return c.list.Option(c.Name, key)
}

// boolean is the value of a key that says yes or no.
func (c config) boolean(key string, unset bool) (bool, error) {
	text, ok, err := c.option(key)
	if err != nil || !ok {
		return unset, err
	}
	switch strings.TrimSpace(text) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, fmt.Errorf("Key file contains key “%s” which has a value that cannot be interpreted.", key)
}

// schemes are those that an option such as sign-verify lists, and whether it demands
// anything. Where it is true, and lists none, that is nil: any scheme counts.
func (c config) schemes(option string) (names []string, on bool, err error) {
	text, _, err := c.option(option)
	if err != nil {
		return nil, false, err
	}
	switch text {
	case "", "false", "0":
		return nil, false, nil
	case "true", "1":
		return nil, true, nil
	}
	if names = listOf(text); len(names) == 0 {
		names = []string{text} // which is no scheme, so that it does not demand nothing
	}
	return names, true, nil
}
