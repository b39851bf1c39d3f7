package index

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	cacheName = "index" // below the user's cache
	linkName  = "repo"  // points to the repository that a folder is of
)

// cacheFolder is a repository's own directory below the user's cache.
func cacheFolder(repo, cache string) (*folder, error) {
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return nil, err
	}
	full, err := filepath.Abs(repo)
	if err == nil {
		full, err = filepath.EvalSymlinks(full)
	}
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256([]byte(full))
	name := hex.EncodeToString(key[:8])
	f, err := openFolder(cache, 0o700, cacheName, name)
	if err == nil && f.mine {
		os.Symlink(full, filepath.Join(cache, cacheName, name, linkName)) // without it the folder is not swept
	}
	return f, err
}

// sweepCache removes the folders of repositories that are gone.
func sweepCache(cache string) error {
	if cache == "" {
		return nil
	}
	all, err := os.ReadDir(filepath.Join(cache, cacheName))
	for _, e := range all {
		path := filepath.Join(cache, cacheName, e.Name())
		repo, e := os.Readlink(filepath.Join(path, linkName))
		if e != nil {
			continue
		}
		if _, e := os.Stat(repo); errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, os.RemoveAll(path))
		}
	}
	return err
}
