package transaction

import (
	"bytes"
	"context"
	"crypto/sha256"
	"os"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// TestPayload: the second of two files with the same content shares it, where files can.
func TestPayload(t *testing.T) {
	for _, mode := range []objstore.Mode{objstore.Bare, objstore.BareUser, objstore.BareUserOnly} {
		r := newRepo(t, mode, "payload-link-threshold=1000\n")
		tx := begin(t, r)
		data := samples()["large"]
		var sums []object.Checksum
		for _, perm := range []uint32{0o644, 0o755, 0o700} {
			h := object.Header{Mode: object.ModeRegular | perm, Size: uint64(len(data))}
			sum, err := tx.WriteContent(h, bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			sums = append(sums, sum)
		}
		sharing := tx.payloads.sharing()
		if err := tx.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		tx.Close()
		objects, path := r.ObjectFile(object.Name{Checksum: sha256.Sum256(data), Kind: object.KindPayloadLink})
		target, ok := objstore.PayloadLink(objects, path)
		if ok != sharing || ok && target.Checksum != sums[0] {
			t.Errorf("%s: a link to %s, %v, want %s, %v", mode, target, ok, sums[0], sharing)
		}
		for _, sum := range sums {
			c, err := r.Content(sum)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Verify(); err != nil {
				t.Error(err)
			}
			c.Close()
		}
		if !sharing && os.Getenv("DEPLOYFS_SHARING") != "" {
			t.Error("files can't share blocks here")
		}
	}
}
