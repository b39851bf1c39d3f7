package identity

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// magic begins a file; it changes with the format.
const magic = "deployfs file identities, version 1\n"

const (
	sumSize  = 4
	suffix   = ".identities"
	maxBytes = len(magic) + maxRecords*recordSize + sumSize
)

// checksum is the CRC-32C of a file's beginning.
func checksum(data []byte) uint32 { return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) }

// fileName is the file of a tree.
func fileName(name string) string { return fmt.Sprintf("%.16x%s", sha256.Sum256([]byte(name)), suffix) }

func isFileName(name string) bool { return strings.HasSuffix(name, suffix) }

// encode is a file of records, which are in ascending order.
func encode(records [][]byte) []byte {
	data := append([]byte(magic), bytes.Join(records, nil)...)
	return binary.BigEndian.AppendUint32(data, checksum(data))
}

// decode is the records of a file; nil when it is none of ours.
func decode(data []byte) []byte {
	body := len(data) - sumSize
	if body < len(magic) || string(data[:len(magic)]) != magic || (body-len(magic))%recordSize != 0 {
		return nil
	}
	if checksum(data[:body]) != binary.BigEndian.Uint32(data[body:]) {
		return nil
	}
	return data[len(magic):body]
}

// load reads a file that only this user can have written.
func load(path string) []byte {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	var st unix.Stat_t
	if unix.Fstat(int(f.Fd()), &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Mode&0o022 != 0 ||
		st.Uid != uint32(os.Geteuid()) || st.Size > int64(maxBytes) {
		return nil
	}
	data := make([]byte, st.Size)
	if _, err := io.ReadFull(f, data); err != nil {
		return nil
	}
	return decode(data)
}

// replace puts data in the place of a file, whole or not at all.
func replace(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*"+suffix)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}
