package unxz

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// ErrCorrupt is what errors about damage are.
var ErrCorrupt = errors.New("Invalid compressed data")

func corrupt(what string) error { return fmt.Errorf("%w: xz: %s", ErrCorrupt, what) }

// MaxDictionary is how many bytes a file may ask for: what the program xz does at
// its highest level.
const MaxDictionary = 64 << 20

// Reader reads what a file was compressed from. Read checks what it has read at the
// end of each block.
type Reader struct {
	data  *bytes.Reader // what is left of the file
	size  int64         // of the file
	check check
	block *block
	sizes []record
	err   error
}

// record is what an index says of a block: its size without padding, and that of
// what it holds.
type record struct{ unpadded, content uint64 }

// NewReader begins to read a file.
func NewReader(data []byte) (*Reader, error) {
	r := &Reader{data: bytes.NewReader(data), size: int64(len(data))}
	flags, err := r.header()
	if err != nil {
		return nil, err
	}
	r.check, err = checkOf(flags)
	return r, err
}

// at is where in the file the reader is.
func (r *Reader) at() int64 { return r.size - int64(r.data.Len()) }

// Read reads on.
func (r *Reader) Read(p []byte) (int, error) {
	for r.err == nil {
		if r.block == nil {
			r.err = r.next()
			continue
		}
		n, err := r.block.read(p)
		if err == io.EOF {
			err = r.endBlock()
		} else if err != nil {
			err = corrupt(err.Error())
		}
		r.err = err
		if n > 0 || len(p) == 0 {
			return n, nil
		}
	}
	return 0, r.err
}

// next begins the next block, or reads all that comes behind the last one.
func (r *Reader) next() error {
	begin := r.at()
	size, err := r.data.ReadByte()
	if err != nil {
		return corrupt("cut")
	}
	if size == 0 {
		if err := r.tail(begin); err != nil {
			return err
		}
		return io.EOF
	}
	dictionary, err := r.blockHeader(int(size))
	if err != nil {
		return err
	}
	if dictionary > MaxDictionary {
		return fmt.Errorf("xz: %d MiB of memory are asked for, at most %d MiB are allowed", dictionary>>20, MaxDictionary>>20)
	}
	content, err := lzma.Reader2Config{DictCap: int(max(dictionary, lzma.MinDictCap))}.NewReader2(r.data)
	if err != nil {
		return corrupt(err.Error())
	}
	r.block = &block{begin: begin, content: content, sum: r.check.begin()}
	return nil
}

// endBlock checks what was read of a block.
func (r *Reader) endBlock() error {
	b := r.block
	r.block = nil
	size := r.at() - b.begin
	for range -size & 3 {
		if c, err := r.data.ReadByte(); err != nil || c != 0 {
			return corrupt("padding")
		}
	}
	stored := make([]byte, r.check.size)
	if _, err := io.ReadFull(r.data, stored); err != nil {
		return corrupt("cut")
	}
	if b.sum != nil && !bytes.Equal(stored, r.check.end(b.sum)) {
		return corrupt("wrong checksum")
	}
	r.sizes = append(r.sizes, record{uint64(size) + uint64(r.check.size), b.size})
	return nil
}
