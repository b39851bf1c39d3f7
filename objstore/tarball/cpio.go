package tarball

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"deployfs/objstore/object"
)

const (
	cpioTrailer = "TRAILER!!!" // the name of what is not a member any more
	maxName     = 1 << 20      // bytes
	maxTarget   = 4095         // bytes of a symbolic link
)

var errTruncatedCpio = errors.New("Truncated cpio archive")

// cpioHeader is what stands before a member, in any of the forms.
type cpioHeader struct {
	dev, ino, mode, uid, gid, nlink uint64
	nameSize, size, check           uint64
}

type cpioReader struct {
	r      *bufio.Reader
	format *cpioForm
	left   cpioContent // of the member that is being read
	inodes map[inode]*linked
}

// inode is what files with several names have in common.
type inode struct{ dev, ino uint64 }

type linked struct {
	name string // of the first member
	left uint64 // names that may still come
}

func (c *cpioReader) next() (*entry, error) {
	if err := c.left.skip(); err != nil {
		return nil, err
	}
	head := make([]byte, c.format.size)
	if _, err := io.ReadFull(c.r, head); err != nil {
		return nil, cpioError(err)
	}
	h, err := c.format.parse(head)
	if err != nil {
		return nil, err
	}
	name, err := c.name(h)
	if err != nil {
		return nil, err
	}
	if name == cpioTrailer {
		return nil, io.EOF
	}
	c.left = cpioContent{r: c.r, left: h.size, padding: c.format.padding(h.size), sum: h.check, checked: c.format.checked && h.check > 0} // GNU cpio writes none for some links
	return c.entry(h, name)
}

func cpioError(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errTruncatedCpio
	}
	return err
}

// name reads the member's name, which ends at the first NUL.
func (c *cpioReader) name(h cpioHeader) (string, error) {
	if h.nameSize == 0 || h.nameSize > maxName {
		return "", fmt.Errorf("Damaged cpio archive: a name of %d bytes", h.nameSize)
	}
	data := make([]byte, h.nameSize+c.format.padding(uint64(c.format.size)+h.nameSize))
	if _, err := io.ReadFull(c.r, data); err != nil {
		return "", cpioError(err)
	}
	name, _, _ := bytes.Cut(data[:h.nameSize], []byte{0})
	return string(name), nil
}

func (c *cpioReader) entry(h cpioHeader, name string) (*entry, error) {
	e := &entry{name: name, content: &c.left}
	e.header = object.Header{UID: uint32(h.uid), GID: uint32(h.gid), Mode: uint32(h.mode) & (object.ModeType | 0o7777), Size: h.size}
	switch e.header.Mode & object.ModeType {
	case object.ModeRegular:
		c.findLink(e, h)
	case object.ModeSymlink:
		if h.size > maxTarget {
			return nil, fmt.Errorf("%q: invalid symlink target of %d bytes", clip(name), h.size)
		}
		target, err := io.ReadAll(&c.left)
		if err != nil {
			return nil, err
		}
		e.header.Target, e.header.Size = string(target), 0
	default:
		e.header.Size = 0
	}
	return e, nil
}

// findLink tells whether the member is another name of an earlier one.
func (c *cpioReader) findLink(e *entry, h cpioHeader) {
	if h.nlink < 2 {
		return
	}
	id := inode{h.dev, h.ino}
	first, ok := c.inodes[id]
	if !ok {
		if c.inodes == nil {
			c.inodes = make(map[inode]*linked)
		}
		c.inodes[id] = &linked{e.name, h.nlink - 1}
		return
	}
	e.hardLink, e.link = true, first.name
	if first.left--; first.left == 0 {
		delete(c.inodes, id)
	}
}

// cpioContent is the content of a member, and what fills it up.
type cpioContent struct {
	r             io.Reader
	left, padding uint64
	sum           uint64 // that its bytes should have, when it is checked
	checked       bool
	got           uint32
}

func (c *cpioContent) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n, err := c.r.Read(p[:min(uint64(len(p)), c.left)])
	c.left -= uint64(n)
	if c.checked {
		for _, b := range p[:n] {
			c.got += uint32(b)
		}
		if c.left == 0 && uint64(c.got) != c.sum {
			return 0, fmt.Errorf("Damaged cpio archive: the sum of a file's bytes is %08x, not %08x", c.got, c.sum)
		}
	}
	if c.left > 0 && err != nil {
		err = cpioError(err)
	}
	return n, err
}

// skip reads what is left.
func (c *cpioContent) skip() error {
	if _, err := io.Copy(io.Discard, c); err != nil {
		return err
	}
	if c.padding > 0 {
		if _, err := io.CopyN(io.Discard, c.r, int64(c.padding)); err != nil {
			return cpioError(err)
		}
	}
	return nil
}
