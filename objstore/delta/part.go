package delta

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"deployfs/objstore/fault"
	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
)

// Part is what a superblock says of a part.
type Part struct {
	Checksum    object.Checksum // of its file
	Version     uint32
	Size, Usize uint64        // bytes of the file, and of the objects; not to be relied on
	Objects     []object.Name // that it makes, in their order

	index  int
	to     object.Checksum
	inline []byte // the file, where the superblock holds it
}

// newest is the version of parts that is understood.
const newest = 0

// Held reports whether all objects of the part are there, so that it need not be applied.
func (p *Part) Held(t *transaction.Transaction) (bool, error) {
	for _, name := range p.Objects {
		if held, err := t.Holds(name); err != nil || !held {
			return false, err
		}
	}
	return true, nil
}

// Check fails unless data is the part's file. One that the superblock holds is not checked.
func (p *Part) Check(data []byte) error {
	if p.inline != nil {
		return nil
	}
	if found := object.Checksum(sha256.Sum256(data)); found != p.Checksum {
		return fmt.Errorf("Checksum mismatch in static delta part; expected=%s actual=%s", p.Checksum, found)
	}
	return nil
}

// errCut is what is left to say of a file that is mapped and can't be read.
var errCut = errors.New("a file that is mapped was cut or can't be read")

// Apply makes the part's objects, those that the repository lacks, of its whole file,
// which is checked. It fails unless each is what its name says, and all are made.
// Several parts may be applied at once, in the same transaction. Memory does not grow
// with what the part says of sizes.
func (p *Part) Apply(ctx context.Context, t *transaction.Transaction, data []byte) (err error) {
	if p.Version > newest {
		return fmt.Errorf("Delta part has too new version %d", p.Version)
	}
	stopped := fault.Catch(func() {
		if err = p.Check(data); err == nil && len(p.Objects) > 0 {
			err = p.apply(ctx, t, data)
		}
	})
	if stopped {
		err = errCut
	}
	return err
}

func (p *Part) apply(ctx context.Context, t *transaction.Transaction, data []byte) error {
	payload, err := openPayload(t.Repo(), data)
	if err != nil {
		return err
	}
	defer payload.close()
	m := &maker{ctx: ctx, t: t, objects: p.Objects, payload: payload, scan: scanner{rest: payload.ops}}
	defer m.closeSource()
	return m.run()
}
