package object

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Checksum is a SHA-256, the name of an object.
type Checksum [32]byte

// ParseChecksum reads 64 lower-case hexadecimal digits.
func ParseChecksum(text string) (sum Checksum, err error) {
	if !IsChecksum(text) {
		return sum, fmt.Errorf("%q is not a checksum: want 64 digits of 0-9a-f", shorten(text))
	}
	_, err = hex.Decode(sum[:], []byte(text))
	return sum, err
}

// IsChecksum reports whether text is 64 lower-case hexadecimal digits.
func IsChecksum(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// shorten keeps hostile text out of messages beyond a line's length.
func shorten(text string) string {
	if len(text) > 80 {
		return text[:77] + "..."
	}
	return text
}

// checksumFrom takes a checksum out of an ay. The zero checksum, which no
// object can have, is refused: elsewhere it means that there is none.
func checksumFrom(data []byte) (sum Checksum, err error) {
	if len(data) != len(sum) {
		return sum, fmt.Errorf("invalid checksum of length %d expected %d", len(data), len(sum))
	}
	if sum = Checksum(data); sum.IsZero() {
		return sum, errors.New("invalid checksum of zeroes")
	}
	return sum, nil
}

// String is the checksum as 64 lower-case hexadecimal digits.
func (c Checksum) String() string { return hex.EncodeToString(c[:]) }

// IsZero reports whether c is the zero value, which names no object.
func (c Checksum) IsZero() bool { return c == Checksum{} }
