package tarball

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"deployfs/objstore/object"
)

// entry is a member of an archive.
type entry struct {
	name     string // as archived
	hardLink bool
	link     string        // of a hard link: the name of another member
	header   object.Header // with any type's bits
	content  io.Reader     // until the next entry is read
}

// archive reads one member after the other.
type archive struct {
	// next returns io.EOF behind the last one.
	next    func() (*entry, error)
	plain   *bufio.Reader
	closers []func()
}

// ErrFormat is the error for what is no archive.
var ErrFormat = errors.New("Unrecognized archive format")

// foreign are formats that ostree reads, by what they begin with.
var foreign = []struct{ magic, name string }{
	{"PK\x03\x04", "zip"}, {"7z\xbc\xaf\x27\x1c", "7-zip"}, {"!<arch>\n", "ar"}, {"Rar!", "rar"}, {"xar!", "xar"},
	{"MSCF", "cab"}, {"\xed\xab\xee\xdb", "rpm"}, {"WARC/", "warc"}, {"#mtree", "mtree"},
	{"\x04\x22\x4d\x18", "lz4"}, {"\x1f\x9d", "compress"}, {"LZIP", "lzip"}, {"\x89LZO", "lzop"},
}

// open finds out what r is. A file without a byte is an archive without a member.
func open(r io.Reader) (a *archive, err error) {
	a = &archive{}
	if a.plain, err = a.decompress(r); err != nil {
		a.close()
		return nil, err
	}
	magic, err := a.plain.Peek(blockSize)
	if len(magic) == 0 && err == io.EOF {
		a.next = func() (*entry, error) { return nil, io.EOF }
		return a, nil
	}
	if err != nil && err != io.EOF {
		a.close()
		return nil, err
	}
	if format := cpioFormat(magic); format != nil {
		a.next = (&cpioReader{r: a.plain, format: format}).next
		return a, nil
	}
	if isTar(magic) {
		a.next = newTarReader(a.plain).next
		return a, nil
	}
	a.close()
	for _, f := range foreign {
		if bytes.HasPrefix(magic, []byte(f.magic)) {
			return nil, fmt.Errorf("archives of the format %s can not be read, only tar and cpio", f.name)
		}
	}
	return nil, ErrFormat
}

func (a *archive) close() {
	for _, c := range a.closers {
		c()
	}
}
