package objstore

import (
	"context"
	"errors"
)

// EditConfig is [Update.EditConfig] as an update by itself.
func (r *Repo) EditConfig(edit func(data []byte) ([]byte, error)) error {
	u, err := r.BeginUpdate(context.Background())
	if err != nil {
		return err
	}
	return errors.Join(u.EditConfig(edit), u.Close())
}
