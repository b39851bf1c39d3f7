package tarball

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

const (
	bufferSize = 128 << 10
	maxFilters = 4         // compressions of one archive, one in the other
	maxWindow  = 128 << 20 // bytes that zstd may ask for, as the program zstd has it
	maxTrailer = 1 << 20   // bytes behind an archive that are read to check them
)

// compressions are the formats that are taken off, by what they begin with.
var compressions = []struct {
	magic string
	open  func(a *archive, r io.Reader) (io.Reader, error)
}{
	{"\x1f\x8b", func(_ *archive, r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{"\x28\xb5\x2f\xfd", openZstd},
	{"\xfd7zXZ\x00", func(_ *archive, r io.Reader) (io.Reader, error) { return xz.NewReader(r) }},
	{"BZh", func(_ *archive, r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
	{"\x5d\x00\x00", func(_ *archive, r io.Reader) (io.Reader, error) { return lzma.NewReader(r) }},
}

func openZstd(a *archive, r io.Reader) (io.Reader, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(2))
	if err == nil {
		a.closers = append(a.closers, d.Close)
	}
	return d, err
}

// decompress takes off what the archive is wrapped in.
func (a *archive) decompress(r io.Reader) (*bufio.Reader, error) {
	plain := bufio.NewReaderSize(r, bufferSize)
	for range maxFilters {
		inner, err := a.unwrap(plain)
		if inner == nil || err != nil {
			return plain, err
		}
		plain = bufio.NewReaderSize(inner, bufferSize)
	}
	return nil, fmt.Errorf("an archive that is compressed %d times", maxFilters)
}

// unwrap opens one compression; nil when there is none.
func (a *archive) unwrap(r *bufio.Reader) (io.Reader, error) {
	for _, c := range compressions {
		magic, err := r.Peek(len(c.magic))
		if err != nil && err != io.EOF {
			return nil, err
		}
		if bytes.Equal(magic, []byte(c.magic)) {
			return c.open(a, r)
		}
	}
	return nil, nil
}

// drain reads what lies behind the last member, up to a bound, for a checksum at
// the end tells whether all before it was right.
func (a *archive) drain() error {
	_, err := io.CopyN(io.Discard, a.plain, maxTrailer)
	if errors.Is(err, gzip.ErrChecksum) || errors.Is(err, zstd.ErrCRCMismatch) {
		return fmt.Errorf("damaged archive: %w", err)
	}
	return nil
}
