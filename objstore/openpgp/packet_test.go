package openpgp

import (
	"encoding/hex"
	"strings"
	"testing"
)

// edDSA is a signature packet that gpg wrote: old format, version 4, EdDSA, with the key's
// fingerprint and the time among the hashed subpackets and the key's id among the others.
const edDSA = "8875" + "0400160a" + "001d" + "162104" + "0102030405060708090a0b0c0d0e0f1011121314" + "0502" + "65540000" +
	"000a" + "0910" + "0d0e0f1011121314" + "abcd"

func TestReadClaim(t *testing.T) {
	packet, err := hex.DecodeString(edDSA + strings.Repeat("00", 0x75-(len(edDSA)/2-2)))
	if err != nil {
		t.Fatal(err)
	}
	sig, err := ReadClaim(packet)
	if err != nil || sig.KeyID != "0D0E0F1011121314" || sig.Algorithm != "EdDSA" || sig.Created.Unix() != 0x65540000 {
		t.Errorf("%+v, %v", sig, err)
	}
	for n := range packet {
		if _, err := ReadClaim(packet[:n]); err == nil {
			t.Errorf("%d bytes of %d are accepted", n, len(packet))
		}
	}
}

func FuzzReadClaim(f *testing.F) {
	packet, _ := hex.DecodeString(edDSA)
	f.Add(packet)
	f.Add([]byte{0xc2, 0x06, 4, 0, 1, 8, 0, 0})
	f.Fuzz(func(t *testing.T, packet []byte) {
		if sig, err := ReadClaim(packet); err == nil && len(sig.KeyID) != 0 && len(sig.KeyID) != 16 {
			t.Errorf("key id %q", sig.KeyID)
		}
	})
}
