package openpgp

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"time"
)

// Claim is what a signature says of itself.
type Claim struct {
	KeyID       string // of who made it, 16 hexadecimal digits; "" when it does not say
	Fingerprint string // the same, longer; "" when it does not say
	Algorithm   string // as gpgme names it, "?" when that is not known
	Created     time.Time
}

var errNoSignature = errors.New("no OpenPGP signature of version 4")

// algorithms are the public key algorithms that sign, as gpgme names them.
var algorithms = map[byte]string{1: "RSA", 2: "RSA", 3: "RSA", 17: "DSA", 19: "ECDSA", 22: "EdDSA", 27: "EdDSA"}

// ReadClaim reads a version 4 signature packet (RFC 4880, section 5.2.3). Nothing
// of what it says is verified.
func ReadClaim(packet []byte) (c Claim, err error) {
	body, err := packetBody(packet)
	if err != nil {
		return c, err
	}
	return readClaim(body)
}

// readClaim is ReadClaim for what is in the packet.
func readClaim(body []byte) (c Claim, err error) {
	if len(body) < 6 || body[0] != 4 {
		return c, errNoSignature
	}
	if c.Algorithm = algorithms[body[2]]; c.Algorithm == "" {
		c.Algorithm = "?"
	}
	rest := body[4:]
	for range 2 { // the hashed subpackets, then the others
		if len(rest) < 2 {
			return c, errNoSignature
		}
		end := 2 + int(binary.BigEndian.Uint16(rest))
		if len(rest) < end {
			return c, errNoSignature
		}
		if err := c.subpackets(rest[2:end]); err != nil {
			return c, err
		}
		rest = rest[end:]
	}
	return c, nil
}

// packetBody takes the header off a signature packet.
func packetBody(p []byte) ([]byte, error) {
	if len(p) < 2 || p[0]&0x80 == 0 {
		return nil, errNoSignature
	}
	if p[0]&0x40 != 0 {
		if p[0]&0x3f != 2 {
			return nil, errNoSignature
		}
		body, _, err := newLength(p[1:])
		return body, err
	}
	width := 1 << (p[0] & 3)
	if p[0]>>2&0xf != 2 || width > 4 || len(p) < 1+width {
		return nil, errNoSignature
	}
	size := 0
	for _, b := range p[1 : 1+width] {
		size = size<<8 | int(b)
	}
	if p = p[1+width:]; len(p) < size {
		return nil, errNoSignature
	}
	return p[:size], nil
}

// newLength splits what a new-format length counts off p.
func newLength(p []byte) (body, rest []byte, err error) {
	size, width := 0, 0
	switch {
	case len(p) >= 1 && p[0] < 192:
		size, width = int(p[0]), 1
	case len(p) >= 2 && p[0] < 224:
		size, width = (int(p[0])-192)<<8+int(p[1])+192, 2
	case len(p) >= 5 && p[0] == 255:
		size, width = int(binary.BigEndian.Uint32(p[1:])), 5
	default:
		return nil, nil, errNoSignature
	}
	if len(p)-width < size {
		return nil, nil, errNoSignature
	}
	return p[width : width+size], p[width+size:], nil
}

// subpackets takes the time of creation and who made it out of a list.
func (c *Claim) subpackets(list []byte) error {
	for len(list) > 0 {
		body, rest, err := newLength(list)
		if err != nil || len(body) == 0 {
			return errNoSignature
		}
		switch value := body[1:]; {
		case body[0]&0x7f == 2 && len(value) == 4:
			c.Created = time.Unix(int64(binary.BigEndian.Uint32(value)), 0).UTC()
		case body[0]&0x7f == 16 && len(value) == 8:
			c.KeyID = strings.ToUpper(hex.EncodeToString(value))
		case body[0]&0x7f == 33 && len(value) == 21:
			c.Fingerprint = strings.ToUpper(hex.EncodeToString(value[1:]))
			c.KeyID = c.Fingerprint[len(c.Fingerprint)-16:]
		}
		list = rest
	}
	return nil
}
