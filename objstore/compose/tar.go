package compose

import (
	"context"
	"errors"
	"io"
)

func (b *builder) importTar(ctx context.Context, in io.Reader) error {
	return errors.New("tar: not built")
}
