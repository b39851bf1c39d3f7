package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/refs"
	"deployfs/objstore/sign"
)

// config is what a key file says about one remote.
type config struct {
	file  *objstore.KeyFile
	group string
}

// absentRemote says that nothing is configured under a remote's name.
type absentRemote struct{ name string }

func (a absentRemote) Error() string { return `Remote "` + a.name + `" not found` }

// Hint is what can be done about it.
func (absentRemote) Hint() string { return "`ostree remote list` shows the remotes there are" }

// remote finds the configuration of a remote: in the repository's own, for the
// system's repository in its directory, else in the parent repository's.
func (s system) remote(repo *objstore.Repo, name string) (config, error) {
	if !refs.IsFragment(name) {
		return config{}, errors.New("not a remote's name")
	}
	group := `remote "` + name + `"`
	for r := repo; r != nil; r = r.Parent() {
		if r.Config().HasGroup(group) {
			return config{r.Config(), group}, nil
		}
		if !s.owns(r) {
			continue
		}
		if file, err := s.systemRemote(group); file != nil || err != nil {
			return config{file, group}, err
		}
	}
	return config{}, absentRemote{name}
}

// owns reports whether a repository is the system's.
func (s system) owns(repo *objstore.Repo) bool {
	info, err := os.Stat(repo.Path())
	if err != nil {
		return false
	}
	for _, path := range s.repos {
		if same, err := os.Stat(path); err == nil && os.SameFile(info, same) {
			return true
		}
	}
	return false
}

// systemRemote is the file that configures a remote of the system's repository; nil when
// there is none.
func (s system) systemRemote(group string) (*objstore.KeyFile, error) {
	entries, err := os.ReadDir(s.remotes)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		path := filepath.Join(s.remotes, e.Name())
		if filepath.Ext(path) != ".conf" {
			continue
		}
		data, err := readFile(path, maxKeyFile)
		if err != nil {
			return nil, err
		}
		file, err := objstore.ParseKeyFile(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if file.HasGroup(group) {
			return file, nil
		}
	}
	return nil, nil
}

// schemes is what sign-verify lists. When it says only whether a pull verifies,
// that is nil: any scheme counts.
func (c config) schemes() []string {
	text, _ := c.file.Get(c.group, "sign-verify")
	text = strings.TrimSpace(text)
	switch text {
	case "", "true", "false", "1", "0":
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, ";"), ";")
}

// keys is the remote's own keys, and whether it is configured to have any.
func (c config) keys() (keys []sign.Key, any bool, err error) {
	if path, ok := c.file.Get(c.group, "verification-ed25519-file"); ok {
		any = true
		if keys, err = readKeys(path); err != nil {
			return nil, true, err
		}
	}
	if text, ok := c.file.Get(c.group, "verification-ed25519-key"); ok {
		any = true
		key, err := sign.ParseKey(strings.TrimSpace(text))
		if err != nil {
			return nil, true, fmt.Errorf("verification-ed25519-key: %w", err)
		}
		keys = append(keys, key)
	}
	return keys, any, nil
}
