package sign

import (
	"context"
	"fmt"

	"deployfs/objstore/gvariant"
)

// Add is detached metadata, or a summary.sig, with signatures of data by each of
// the signers behind those that it has. The zero value has none.
func Add(ctx context.Context, meta gvariant.Value, data []byte, signers ...Signer) (gvariant.Value, error) {
	for _, s := range signers {
		list, err := Signatures(meta, s.Scheme())
		if err != nil {
			return meta, err
		}
		if len(list) == maxSignatures {
			return meta, fmt.Errorf("there are %d signatures of %s already, more are not allowed", len(list), s.Scheme())
		}
		signature, err := s.Sign(ctx, data)
		if err != nil {
			return meta, err
		}
		meta = Set(meta, s.Scheme(), append(list, signature))
	}
	return meta, nil
}

// Set is metadata with these signatures of a scheme in the place of those that it
// has; with none, the scheme's key goes.
func Set(meta gvariant.Value, scheme string, signatures [][]byte) gvariant.Value {
	key := metadataKey(scheme)
	var elements []gvariant.Value
	for _, s := range signatures {
		elements = append(elements, gvariant.NewBytes(s))
	}
	entry := gvariant.NewEntry(gvariant.NewString(key), gvariant.NewVariant(gvariant.NewArray("ay", elements...)))
	var entries []gvariant.Value
	placed := len(signatures) == 0
	for i := range meta.Len() {
		switch old := meta.At(i); {
		case old.At(0).Str() != key:
			entries = append(entries, old)
		case !placed:
			entries = append(entries, entry)
			placed = true
		}
	}
	if !placed {
		entries = append(entries, entry)
	}
	return gvariant.NewArray("{sv}", entries...)
}
