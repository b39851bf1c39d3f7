package openpgp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
)

// Keyring is public keys, in their order.
type Keyring []*Key

// maxKeyring bounds a keyring, in bytes.
const maxKeyring = 32 << 20

// ParseKeyring reads public keys: OpenPGP packets, these in ASCII armour (of
// which there may be several), or a keybox of gpg. What is none of these, and
// keys that can't be understood, give no keys: one such must not hide others.
//
// A key that is there more than once becomes one, of all that is known of it, so
// that an older copy hides no revocation.
func ParseKeyring(files ...[]byte) (Keyring, error) { return parseKeyring(time.Now(), files...) }

func parseKeyring(now time.Time, files ...[]byte) (ring Keyring, err error) {
	var all blockSet
	for _, data := range files {
		if len(data) > maxKeyring {
			return nil, fmt.Errorf("a keyring of %d bytes, at most %d are allowed", len(data), maxKeyring)
		}
		found, _ := blocksIn(data)
		for _, b := range found {
			all.add(b)
		}
	}
	for _, b := range all.list {
		if k := newKey(b, now); k != nil {
			ring = append(ring, k)
		}
	}
	return ring, nil
}

// blocksIn takes keys out of data in any of the forms.
func blocksIn(data []byte) ([]block, error) {
	switch {
	case isKeybox(data):
		return blocks(keyboxPackets(data))
	case len(data) > 0 && data[0]&0x80 != 0:
		return blocks(data)
	}
	return blocks(unarmoured(data, "PGP PUBLIC KEY"))
}

// armoured is how a piece of armour begins.
const armoured = "-----BEGIN PGP "

// unarmoured is the packets in all pieces of armour whose types begin with kind.
func unarmoured(data []byte, kind string) []byte {
	var packets bytes.Buffer
	for rest := data; ; {
		begin := bytes.Index(rest, []byte(armoured))
		if begin < 0 {
			return packets.Bytes()
		}
		rest = rest[begin:]
		piece, err := armor.Decode(bytes.NewReader(rest))
		if err == nil && strings.HasPrefix(piece.Type, kind) {
			body, err := io.ReadAll(piece.Body)
			if err == nil {
				packets.Write(body)
			}
		}
		rest = rest[1:]
	}
}

// A keybox is gpg's own form of a keyring: blobs, of which those of one type hold
// an OpenPGP key (GnuPG, kbx/keybox-blob.c).
const (
	keyboxMagic     = "KBXf"
	keyboxMagicAt   = 8
	keyboxBlobHead  = 16 // size, type, version, flags, place and size of the key
	keyboxOpenPGP   = 2
	keyboxTypeAt    = 4
	keyboxKeyAt     = 8
	keyboxKeySizeAt = 12
)

func isKeybox(data []byte) bool {
	return len(data) >= keyboxMagicAt+len(keyboxMagic) && string(data[keyboxMagicAt:keyboxMagicAt+len(keyboxMagic)]) == keyboxMagic
}

// keyboxPackets is the packets of all keys in a keybox.
func keyboxPackets(data []byte) (packets []byte) {
	for len(data) >= keyboxBlobHead {
		size := binary.BigEndian.Uint32(data)
		if size < keyboxBlobHead || uint64(size) > uint64(len(data)) {
			break
		}
		blob := data[:size]
		data = data[size:]
		at, length := uint64(binary.BigEndian.Uint32(blob[keyboxKeyAt:])), uint64(binary.BigEndian.Uint32(blob[keyboxKeySizeAt:]))
		if blob[keyboxTypeAt] == keyboxOpenPGP && at+length <= uint64(size) {
			packets = append(packets, blob[at:at+length]...)
		}
	}
	return packets
}
