package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"deployfs/objstore"
	"deployfs/objstore/refs"
)

// Exists is what [List.Add] does about a remote that is there already.
type Exists uint8

// A remote that is there is an error, or stays as it is, or makes place.
const (
	Refuse Exists = iota
	Keep
	Replace
)

// Add configures a remote with settings, of which the last of a key counts.
func (l *List) Add(name string, settings []Setting, exists Exists) error {
	if !refs.IsFragment(name) {
		return fmt.Errorf("Invalid remote name %s", name)
	}
	was := l.own[name]
	switch {
	case was != nil && exists == Keep:
		return nil
	case was != nil && exists == Refuse:
		return existsError(name, was.File)
	}
	path, err := l.place(name, was)
	if err != nil {
		return err
	}
	return l.edit(path, func(data []byte) ([]byte, error) {
		if there, err := hasRemote(data, name); err != nil || there && exists != Replace {
			if err == nil && exists == Refuse {
				err = existsError(name, path)
			}
			return data, err // somebody else was faster
		}
		data, err := objstore.RemoveGroup(data, group(name))
		for _, s := range settings {
			if err == nil {
				data, err = objstore.SetKey(data, group(name), s.key, s.raw)
			}
		}
		return data, err
	})
}

func existsError(name, file string) error {
	if file == "" {
		file = "(in config)"
	}
	return fmt.Errorf("Remote configuration for %q already exists: %s", name, file)
}

func hasRemote(data []byte, name string) (bool, error) {
	keys, err := objstore.ParseKeyFile(data)
	return err == nil && keys.HasGroup(group(name)), err
}

// place is the file that a remote stands in or goes to; "" is the repository's config.
func (l *List) place(name string, was *Remote) (string, error) {
	if was != nil {
		return was.File, nil
	}
	inDir, err := l.repo.Config().Bool("core", "add-remotes-config-dir", true)
	if err != nil || !inDir || l.dir == "" {
		return "", err
	}
	return filepath.Join(l.dir, name+".conf"), os.MkdirAll(l.dir, 0o755)
}

// Delete forgets a remote of the repository itself and the keys that it trusts.
func (l *List) Delete(name string) error {
	if !refs.IsFragment(name) {
		return fmt.Errorf("Invalid remote name %s", name)
	}
	was := l.own[name]
	if was == nil {
		return &NotFoundError{name}
	}
	err := l.edit(was.File, func(data []byte) ([]byte, error) { return objstore.RemoveGroup(data, group(name)) })
	if err != nil {
		return err
	}
	err = os.Remove(filepath.Join(l.repo.Path(), Keyring(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Keyring is the file in the repository that has the OpenPGP keys which a remote trusts.
func Keyring(name string) string { return name + ".trustedkeys.gpg" }

// edit changes the repository's config, or another file when path is one, which it then removes
// when nothing is left in it; the remotes are read anew.
func (l *List) edit(path string, change func([]byte) ([]byte, error)) error {
	err := error(nil)
	if path == "" {
		err = l.repo.EditConfig(change)
	} else {
		err = l.editFile(path, change)
	}
	if err != nil {
		return err
	}
	return l.reload()
}

func (l *List) editFile(path string, change func([]byte) ([]byte, error)) (err error) {
	update, err := l.repo.BeginUpdate(context.Background())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, update.Close()) }()
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if data, err = change(data); err != nil {
		return err
	}
	keys, err := objstore.ParseKeyFile(data)
	if err != nil {
		return err
	}
	if len(keys.Groups()) == 0 {
		return os.Remove(path)
	}
	return replaceFile(path, data)
}

// replaceFile replaces a file, whole or not at all, outside of the repository.
func replaceFile(path string, data []byte) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), ".remote-*")
	if err != nil {
		return err
	}
	defer func() {
		temp.Close()
		if err != nil {
			os.Remove(temp.Name())
		}
	}()
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	if _, err := temp.Write(data); err != nil {
		return err
	}
	if err := errors.Join(temp.Chmod(mode), temp.Sync()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// CheckConfig fails when data, the repository's config to be, has a remote that stands in a file of
// its own.
func (l *List) CheckConfig(data []byte) error {
	keys, err := objstore.ParseKeyFile(data)
	if err != nil {
		return err
	}
	for _, group := range keys.Groups() {
		if name, ok := nameOf(group); ok && l.own[name] != nil && l.own[name].File != "" {
			return fmt.Errorf("Remote %q already defined in %s", name, l.own[name].File)
		}
	}
	return nil
}
