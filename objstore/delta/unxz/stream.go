package unxz

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
)

const (
	headerMagic = "\xfd7zXZ\x00"
	footerMagic = "YZ"
	flagsSize   = 2
)

// header reads what a file begins with: the kind of its checksums.
func (r *Reader) header() (kind byte, err error) {
	header := make([]byte, len(headerMagic)+flagsSize+4)
	if _, err := io.ReadFull(r.data, header); err != nil {
		return 0, corrupt("cut")
	}
	flags := header[len(headerMagic):][:flagsSize]
	if string(header[:len(headerMagic)]) != headerMagic || flags[0] != 0 || flags[1] > 0x0f ||
		crc32.ChecksumIEEE(flags) != binary.LittleEndian.Uint32(header[len(headerMagic)+flagsSize:]) {
		return 0, corrupt("header")
	}
	return flags[1], nil
}

// tail reads the index, which begins there, and the footer, and checks them with what
// was read. Nothing may follow.
func (r *Reader) tail(begin int64) error {
	rest := make([]byte, r.data.Len()+1) // with the byte that was read
	r.data.Seek(begin, io.SeekStart)
	io.ReadFull(r.data, rest)
	body := rest[1:]
	count, body, err := number(body)
	if err != nil || count != uint64(len(r.sizes)) {
		return corrupt("index")
	}
	for _, want := range r.sizes {
		var is record
		if is.unpadded, body, err = number(body); err == nil {
			is.content, body, err = number(body)
		}
		if err != nil || is != want {
			return corrupt("index")
		}
	}
	size := len(rest) - len(body)
	size += -size & 3
	footer := 4 + 4 + flagsSize + len(footerMagic)
	if len(rest) != size+4+footer || crc32.ChecksumIEEE(rest[:size]) != binary.LittleEndian.Uint32(rest[size:]) {
		return corrupt("index")
	}
	return r.footer(rest[size+4:], uint32(size))
}

// footer checks the end of a file whose index has so many bytes before its checksum.
func (r *Reader) footer(data []byte, index uint32) error {
	var flags [flagsSize]byte
	r.data.ReadAt(flags[:], int64(len(headerMagic)))
	sum, body := binary.LittleEndian.Uint32(data), data[4:]
	if crc32.ChecksumIEEE(body[:4+flagsSize]) != sum || binary.LittleEndian.Uint32(body) != index/4 ||
		!bytes.Equal(body[4:][:flagsSize], flags[:]) || string(body[4+flagsSize:]) != footerMagic {
		return corrupt("footer")
	}
	return nil
}
