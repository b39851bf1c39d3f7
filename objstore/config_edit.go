package objstore

import (
	"bytes"
	"fmt"
)

// EditConfig reads the repository's config anew and replaces it by what edit makes
// of it, which is nothing to do when that is the same.
func (r *Repo) EditConfig(edit func(data []byte) ([]byte, error)) error {
	data, err := readFileAt(r.dir, "config", maxConfig)
	if err != nil {
		return fmt.Errorf("openat(config): %w", plain(err))
	}
	edited, err := edit(bytes.Clone(data))
	if err != nil || bytes.Equal(edited, data) {
		return err
	}
	return r.WriteConfig(edited)
}
