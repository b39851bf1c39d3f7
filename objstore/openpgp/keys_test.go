package openpgp

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// epoch is when the keys of the tests are made, in days since.
var epoch = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

func day(n int) time.Time { return epoch.AddDate(0, 0, n) }

// at makes signatures on a day; they end so many days later, unless that is 0.
func at(n, life int) *packet.Config {
	return &packet.Config{Time: func() time.Time { return day(n) }, Algorithm: packet.PubKeyAlgoEdDSA, SigLifetimeSecs: uint32(life) * 86400}
}

// keyAt makes keys in that way.
func keyAt(n, life int) *packet.Config {
	c := at(n, 0)
	c.KeyLifetimeSecs = uint32(life) * 86400
	return c
}

// person makes a key on day 0.
func person(t testing.TB, name string, life int) *openpgp.Entity {
	t.Helper()
	e, err := openpgp.NewEntity(name, "", name+"@example.com", keyAt(0, life))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// public is keys as packets.
func public(t testing.TB, entities ...*openpgp.Entity) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, e := range entities {
		if err := e.Serialize(&out); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// signature is by an entity, of a day.
func signature(t testing.TB, e *openpgp.Entity, data string, c *packet.Config) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := openpgp.DetachSign(&out, e, bytes.NewReader([]byte(data)), c); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func armour(t testing.TB, kind string, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := armor.Encode(&out, kind, nil)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.(io.Closer).Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// statuses checks signatures of data on a day.
func statuses(t testing.TB, n int, ring []byte, data string, signatures ...[]byte) (list []Status) {
	t.Helper()
	keys, err := parseKeyring(day(n), ring)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range verify(keys, []byte(data), signatures, day(n)) {
		list = append(list, r.Status)
	}
	return list
}
