package delta

import (
	"context"
	"io"

	"deployfs/objstore/delta/bulk"
	"deployfs/objstore/transaction"
)

// Receive is [Part.Apply] for a file that comes from somewhere.
func (p *Part) Receive(ctx context.Context, t *transaction.Transaction, file io.Reader) error {
	data, err := bulk.Read(t.Repo(), file, inMemory)
	if err != nil {
		return err
	}
	defer data.Close()
	return p.Apply(ctx, t, data.Bytes())
}
