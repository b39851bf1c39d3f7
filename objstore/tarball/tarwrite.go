package tarball

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"deployfs/objstore/object"
)

const (
	fieldName  = 100 // bytes of a name or link target in a header
	recordSize = 20 * blockSize
)

// tarHeader is one header of a GNU tar archive.
type tarHeader struct {
	name, link     string
	kind           byte
	mode, uid, gid uint32
	size, mtime    uint64
	owner, group   string
	extended       bool // of a pax header: POSIX magic
}

// encode is the block of the header.
func (h *tarHeader) encode() []byte {
	b := make([]byte, blockSize)
	copy(b[0:fieldName], h.name)
	number(b[100:108], uint64(h.mode))
	number(b[108:116], uint64(h.uid))
	number(b[116:124], uint64(h.gid))
	number(b[124:136], h.size)
	number(b[136:148], h.mtime)
	copy(b[148:156], "        ")
	b[156] = h.kind
	copy(b[157:157+fieldName], h.link)
	if copy(b[257:265], "ustar  \x00"); h.extended {
		copy(b[257:265], "ustar\x0000")
	}
	copy(b[265:297], h.owner)
	copy(b[297:329], h.group)
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

// number writes octal digits and a NUL, or in binary what has too many of them.
func number(field []byte, n uint64) {
	digits := len(field) - 1
	if text := strconv.FormatUint(n, 8); len(text) <= digits {
		copy(field, strings.Repeat("0", digits-len(text))+text)
		return
	}
	if len(field) > 8 {
		binary.BigEndian.PutUint64(field[len(field)-8:], n)
	} else {
		binary.BigEndian.PutUint64(field, n)
	}
	field[0] |= 0x80
}

// tarWriter writes members of an archive. The first error stays.
type tarWriter struct {
	w       io.Writer
	written uint64
	err     error
}

func (t *tarWriter) write(data []byte) {
	if t.err == nil && len(data) > 0 {
		var n int
		n, t.err = t.w.Write(data)
		t.written += uint64(n)
	}
}

// pad fills up with zeros to a multiple of size bytes.
func (t *tarWriter) pad(size uint64) {
	if over := t.written % size; over > 0 {
		t.write(make([]byte, size-over))
	}
}

// header writes what stands before a member: its xattrs and what does not fit
// into a header, each as a member of its own.
func (t *tarWriter) header(h *tarHeader, xattrs []object.Xattr) error {
	if len(xattrs) > 0 {
		t.special(&tarHeader{name: "./PaxHeaders/" + base(strings.TrimSuffix(h.name, "/")), kind: 'x', mode: 0o644, extended: true}, paxRecords(xattrs))
	}
	if len(h.link) > fieldName {
		t.long('K', h.link, h.link)
	}
	if len(h.name) > fieldName {
		t.long('L', h.name, h.link)
	}
	t.write(h.encode())
	return t.err
}

// long writes a name that is too long for a header.
func (t *tarWriter) long(kind byte, name, link string) {
	h := &tarHeader{name: "././@LongLink", link: link, kind: kind, owner: "root", group: "wheel"}
	t.special(h, name+"\x00")
}

func (t *tarWriter) special(h *tarHeader, content string) {
	h.size = uint64(len(content))
	t.write(h.encode())
	t.write([]byte(content))
	t.pad(blockSize)
}

// end writes the end of the archive, of whole records where it goes to what may be
// a tape.
func (t *tarWriter) end(records bool) error {
	t.write(make([]byte, 2*blockSize))
	if records {
		t.pad(recordSize)
	}
	return t.err
}

// paxRecords are the lines of a pax header that hold xattrs.
func paxRecords(xattrs []object.Xattr) string {
	var out strings.Builder
	for _, x := range xattrs {
		key, value := schilyXattr+x.Name, string(x.Value)
		if strings.Contains(x.Name, "=") {
			key = libarchiveXattr + url.PathEscape(x.Name)
			key = strings.ReplaceAll(key, "=", "%3D")
			value = base64.RawStdEncoding.EncodeToString(x.Value)
		}
		out.WriteString(paxRecord(key, value))
	}
	return out.String()
}

// paxRecord is a line that begins with its own length.
func paxRecord(key, value string) string {
	rest := " " + key + "=" + value + "\n"
	size := len(rest)
	for size != len(rest)+len(strconv.Itoa(size)) {
		size = len(rest) + len(strconv.Itoa(size))
	}
	return strconv.Itoa(size) + rest
}
