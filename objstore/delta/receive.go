package delta

import (
	"context"
	"io"

	"deployfs/objstore/transaction"
)

// Receive is [Part.Apply] for a file that comes from somewhere.
func (p *Part) Receive(ctx context.Context, t *transaction.Transaction, file io.Reader) error {
	data, err := gather(t.Repo(), file)
	if err != nil {
		return err
	}
	defer data.close()
	return p.Apply(ctx, t, data.data)
}
