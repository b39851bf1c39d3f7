package facts

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"deployfs/objstore/gvariant"
)

// GPGSignature is what an OpenPGP signature says of itself; nothing here is verified.
type GPGSignature struct {
	KeyID     string    `json:"key_id"`
	Algorithm string    `json:"algorithm"`
	Created   time.Time `json:"created"`
}

// GPGSignatures reads the OpenPGP signatures in detached metadata; it leaves out what is none.
func GPGSignatures(detached gvariant.Value) []GPGSignature {
	packets, ok := detached.Lookup("ostree.gpgsigs")
	if !ok || packets.Type() != "aay" {
		return nil
	}
	var list []GPGSignature
	for i := range packets.Len() {
		if sig, err := parseSignature(packets.At(i).ByteString()); err == nil {
			list = append(list, sig)
		}
	}
	return list
}

var (
	errNoSignature = errors.New("no OpenPGP signature of version 4")
	algorithms     = map[byte]string{1: "RSA", 2: "RSA", 3: "RSA", 17: "DSA", 19: "ECDSA", 22: "EdDSA", 27: "EdDSA"}
)

// parseSignature reads a version 4 signature packet (RFC 4880, section 5.2.3).
func parseSignature(packet []byte) (sig GPGSignature, err error) {
	body, err := packetBody(packet)
	if err != nil || len(body) < 6 || body[0] != 4 {
		return sig, errNoSignature
	}
	if sig.Algorithm = algorithms[body[2]]; sig.Algorithm == "" {
		sig.Algorithm = "?"
	}
	rest := body[4:]
	for range 2 { // the hashed subpackets, then the others
		if len(rest) < 2 {
			return sig, errNoSignature
		}
		end := 2 + int(binary.BigEndian.Uint16(rest))
		if len(rest) < end {
			return sig, errNoSignature
		}
		if err := sig.subpackets(rest[2:end]); err != nil {
			return sig, err
		}
		rest = rest[end:]
	}
	return sig, nil
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

// subpackets takes the time of creation and the key's id out of a list.
func (s *GPGSignature) subpackets(list []byte) error {
	for len(list) > 0 {
		body, rest, err := newLength(list)
		if err != nil || len(body) == 0 {
			return errNoSignature
		}
		switch value := body[1:]; {
		case body[0]&0x7f == 2 && len(value) == 4:
			s.Created = time.Unix(int64(binary.BigEndian.Uint32(value)), 0).UTC()
		case body[0]&0x7f == 16 && len(value) == 8, body[0]&0x7f == 33 && len(value) == 21:
			s.KeyID = strings.ToUpper(hex.EncodeToString(value[len(value)-8:]))
		}
		list = rest
	}
	return nil
}
