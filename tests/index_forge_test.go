package tests

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
)

// The parts of an index that matter here: magic and version, then the checksum of all that follows it.
const (
	indexSum  = 24
	indexBody = indexSum + sha256.Size
)

// forgeIndex changes an index and makes its checksum right again.
func forgeIndex(path string, change func(data []byte)) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if len(data) < indexBody {
		return fmt.Errorf("an index of %d bytes", len(data))
	}
	change(data)
	sum := sha256.Sum256(data[indexBody:])
	copy(data[indexSum:], sum[:])
	os.Remove(path) // it is not to be written
	return os.WriteFile(path, data, 0o444)
}

// lie makes an index tell of a file PWNED! instead of README.
func lie(path string) error {
	lies := 0
	err := forgeIndex(path, func(data []byte) {
		lies = bytes.Count(data, []byte("README"))
		copy(data, bytes.ReplaceAll(data, []byte("README"), []byte("PWNED!")))
	})
	if err == nil && lies == 0 {
		err = fmt.Errorf("%s: nothing to lie about", path)
	}
	return err
}
