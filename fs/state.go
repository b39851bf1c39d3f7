package fs

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// StateVersion is the layout of a [State], and of all that goes with it from one
// server to the next. It changes when either does.
const StateVersion = 2

// State is what a server knows about the kernel's view of a mount: which node
// ids stand for what, which files the kernel reads by itself, and who has them
// open. It is a file in memory without a name, of plain integers, so that another
// process can go on with it; one at a time may.
type State struct {
	file  *os.File
	first *firstPage
	opens *[maxOpens]opened
}

// firstPage begins the file.
type firstPage struct {
	magic   [8]byte
	version uint32
	rows    atomic.Uint32 // of the table, which stand after the opens
	told    atomic.Uint32 // see [told]: the first row that is newer, or 0
	opens   atomic.Uint32 // see [opens]
	words   atomic.Uint32 // see [words]
	_       [32]byte      // what follows changes with each request
	stats   counters
}

var stateMagic = [8]byte{'d', 'e', 'p', 'l', 'o', 'y', 'f', 's'}

const (
	opensOffset  = 4096
	chunksOffset = opensOffset + int(unsafe.Sizeof([maxOpens]opened{}))
)

var errState = errors.New("not the state of a mount, or of another version")

// NewState makes the state of a mount that begins.
func NewState() (*State, error) {
	fd, err := unix.MemfdCreate("deployfs", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("state: memfd: %w", err)
	}
	file := os.NewFile(uintptr(fd), "state")
	if err := file.Truncate(int64(chunksOffset)); err != nil {
		file.Close()
		return nil, fmt.Errorf("state: %w", err)
	}
	s, err := mapState(file)
	if err != nil {
		return nil, err
	}
	s.first.magic, s.first.version = stateMagic, StateVersion
	return s, nil
}

// OpenState goes on with the state in file, which it takes over.
func OpenState(file *os.File) (*State, error) {
	s, err := mapState(file)
	if err != nil {
		return nil, err
	}
	if s.first.magic != stateMagic || s.first.version != StateVersion || s.first.rows.Load() == 0 {
		s.Close()
		return nil, errState
	}
	return s, nil
}

func mapState(file *os.File) (*State, error) {
	info, err := file.Stat()
	if err == nil && info.Size() < int64(chunksOffset) {
		err = errState
	}
	var mapped []byte
	if err == nil {
		mapped, err = unix.Mmap(int(file.Fd()), 0, chunksOffset, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("state: %w", err)
	}
	return &State{
		file:  file,
		first: (*firstPage)(unsafe.Pointer(&mapped[0])),
		opens: (*[maxOpens]opened)(unsafe.Pointer(&mapped[opensOffset])),
	}, nil
}

// File is where the state is; it is closed with the State.
func (s *State) File() *os.File { return s.file }

// Close lets go of the file. What is mapped stays, as somebody may still answer.
func (s *State) Close() { s.file.Close() }

// chunk maps the i-th chunk of the table, which it appends when it is new.
func (s *State) chunk(i int) (*chunk, error) {
	const size = int(unsafe.Sizeof(chunk{}))
	mapped, err := s.piece(int64(chunksOffset+i*size), size)
	if err != nil {
		return nil, err
	}
	return (*chunk)(unsafe.Pointer(&mapped[0])), nil
}

// piece maps a part of the file, which grows as far as that.
func (s *State) piece(offset int64, size int) ([]byte, error) {
	info, err := s.file.Stat()
	if err == nil && info.Size() < offset+int64(size) {
		err = s.file.Truncate(offset + int64(size))
	}
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	mapped, err := unix.Mmap(int(s.file.Fd()), offset, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	return mapped, nil
}
