package index

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore/fault"
)

// Mapped is an index in a mapped file.
type Mapped struct {
	*Index
	data []byte
	file *os.File
}

// File is the index's file, for [Reopen]. It is closed with the mapping.
func (m *Mapped) File() *os.File { return m.file }

// Close ends the mapping: the index must not be used any more.
func (m *Mapped) Close() error { return errors.Join(unix.Munmap(m.data), m.file.Close()) }

// Reopen maps the index of root in a file that another process had opened, and
// takes the file over.
func Reopen(file *os.File, root Root) (*Mapped, error) {
	var st unix.Stat_t
	err := unix.Fstat(int(file.Fd()), &st)
	var m *Mapped
	if err == nil {
		m, err = mapFile(file, &st)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("index of dirtree %s: %w", root.Tree, err)
	}
	if m.root != root {
		m.Close()
		return nil, fmt.Errorf("index of dirtree %s: it is of %s", root.Tree, m.root.Tree)
	}
	return m, nil
}

// open maps and parses the index of root. One that is no such thing is removed,
// unless another has been put in its place meanwhile.
func (f *folder) open(root Root, flavour Flavour) (*Mapped, error) {
	name := fileName(root)
	fd, err := unix.Openat(int(f.Fd()), name, openFlags, 0)
	if err != nil {
		if err == unix.ELOOP || err == unix.ENXIO { // a link, a socket
			f.remove(name)
		}
		return nil, err
	}
	file := os.NewFile(uintptr(fd), name)
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	if err == nil {
		err = trusted(file)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	m, err := mapFile(file, &st)
	if err == nil && (m.root != root || m.flavour != flavour) {
		m.Close()
		err = fmt.Errorf("%s: the index of something else", name)
	} else if err != nil {
		file.Close()
	}
	if err != nil {
		f.removeIf(name, &st)
		return nil, err
	}
	return m, nil
}

// mapFile maps the index in a file, which it takes over if it is one.
func mapFile(file *os.File, st *unix.Stat_t) (*Mapped, error) {
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Size < headerSize || st.Size > maxSize {
		return nil, errNone
	}
	data, err := unix.Mmap(int(file.Fd()), 0, int(st.Size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	x, err := parseMapped(data)
	if err != nil {
		unix.Munmap(data)
		return nil, err
	}
	unix.Madvise(data, unix.MADV_DONTNEED) // only what is looked at again is to be in memory
	return &Mapped{x, data, file}, nil
}

// parseMapped is Parse for a file that may be cut meanwhile.
func parseMapped(data []byte) (x *Index, err error) {
	if fault.Catch(func() { x, err = Parse(data) }) {
		return nil, errNone
	}
	return x, err
}

// head reads the header of an index.
func (f *folder) head(name string) (head [headerSize]byte, err error) {
	fd, err := unix.Openat(int(f.Fd()), name, openFlags, 0)
	if err != nil {
		return head, err
	}
	defer unix.Close(fd)
	n, err := unix.Pread(fd, head[:], 0)
	if err == nil && (n < headerSize || string(head[:len(magic)]) != magic || le32(head[atVersion:]) != version) {
		err = errNone
	}
	return head, err
}
