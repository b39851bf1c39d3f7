package tarball

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
)

// cpioForm is one of the forms of a cpio header.
type cpioForm struct {
	magic   string
	size    int    // bytes, of the header
	align   uint64 // bytes, of header with name, and of content
	checked bool   // the header has the sum of the content's bytes
	read    func(head []byte) (cpioHeader, error)
}

var cpioForms = []cpioForm{
	{magic: "070701", size: 110, align: 4, read: readNewc},
	{magic: "070702", size: 110, align: 4, checked: true, read: readNewc},
	{magic: "070707", size: 76, align: 1, read: readOdc},
	{magic: "\xc7\x71", size: 26, align: 2, read: binaryReader(binary.LittleEndian)},
	{magic: "\x71\xc7", size: 26, align: 2, read: binaryReader(binary.BigEndian)},
}

// cpioFormat is the form of the archive that begins with magic, nil when that is
// no cpio archive.
func cpioFormat(magic []byte) *cpioForm {
	for i := range cpioForms {
		if bytes.HasPrefix(magic, []byte(cpioForms[i].magic)) {
			return &cpioForms[i]
		}
	}
	return nil
}

// padding is how many bytes follow n ones.
func (f *cpioForm) padding(n uint64) uint64 { return -n & (f.align - 1) }

func (f *cpioForm) parse(head []byte) (cpioHeader, error) {
	if !bytes.HasPrefix(head, []byte(f.magic)) {
		return cpioHeader{}, fmt.Errorf("Damaged cpio archive: a header that begins with %q", head[:min(len(head), 6)])
	}
	h, err := f.read(head)
	if err != nil {
		err = fmt.Errorf("Damaged cpio archive: %w", err)
	}
	return h, err
}

// fields reads numbers that are written in digits.
type fields struct {
	text string
	base int
	err  error
}

func (f *fields) next(digits int) uint64 {
	n, err := strconv.ParseUint(f.text[:digits], f.base, 64)
	if f.err == nil {
		f.err = err
	}
	f.text = f.text[digits:]
	return n
}

// readNewc reads a header of 8 hexadecimal digits a number.
func readNewc(head []byte) (h cpioHeader, err error) {
	f := fields{text: string(head[6:]), base: 16}
	for _, field := range []*uint64{&h.ino, &h.mode, &h.uid, &h.gid, &h.nlink} {
		*field = f.next(8)
	}
	f.next(8) // time
	h.size = f.next(8)
	h.dev = f.next(8)<<32 | f.next(8)
	f.next(16) // device of a device
	h.nameSize, h.check = f.next(8), f.next(8)
	return h, f.err
}

// readOdc reads a header in octal digits.
func readOdc(head []byte) (h cpioHeader, err error) {
	f := fields{text: string(head[6:]), base: 8}
	for _, field := range []*uint64{&h.dev, &h.ino, &h.mode, &h.uid, &h.gid, &h.nlink} {
		*field = f.next(6)
	}
	f.next(6)  // device of a device
	f.next(11) // time
	h.nameSize, h.size = f.next(6), f.next(11)
	return h, f.err
}

// binaryReader reads headers of 16-bit words, of which two make a large number,
// the high one first.
func binaryReader(order binary.ByteOrder) func([]byte) (cpioHeader, error) {
	return func(head []byte) (h cpioHeader, _ error) {
		word := func(i int) uint64 { return uint64(order.Uint16(head[2*i:])) }
		for i, field := range []*uint64{&h.dev, &h.ino, &h.mode, &h.uid, &h.gid, &h.nlink} {
			*field = word(1 + i)
		}
		h.nameSize = word(10)
		h.size = word(11)<<16 | word(12)
		return h, nil
	}
}
