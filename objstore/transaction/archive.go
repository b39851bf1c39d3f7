package transaction

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/klauspost/compress/flate"
	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

const defaultLevel = 6 // ostree's

// zlibLevel is archive.zlib-level.
func zlibLevel(config *objstore.KeyFile) (int, error) {
	text, ok := config.Get("archive", "zlib-level")
	if !ok {
		return defaultLevel, nil
	}
	level, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("archive.zlib-level: %.100q is not a number", text)
	}
	return int(min(max(level, 1), 9)), nil
}

// deflaters holds compressors between uses, by level: one is some 600 KiB.
var deflaters [10]sync.Pool

// fillArchive writes a .filez object: the header, then deflated content.
func (t *Transaction) fillArchive(f *file, h *object.Header, fill func(io.Writer) (object.Name, error)) (name object.Name, err error) {
	if err := f.write(h.EncodeFilez()); err != nil {
		return name, err
	}
	if h.Size == 0 || h.Size <= shortest && t.level >= shortLevel {
		var content bytes.Buffer
		if name, err = fill(&content); err == nil {
			err = f.write(deflateShort(content.Bytes()))
		}
	} else {
		name, err = t.deflate(f, fill)
	}
	if err == nil {
		err = unix.Fchmod(f.fd, 0o644)
	}
	return name, err
}

func (t *Transaction) deflate(f *file, fill func(io.Writer) (object.Name, error)) (name object.Name, err error) {
	pool := &deflaters[t.level]
	deflater, ok := pool.Get().(*flate.Writer)
	if ok {
		deflater.Reset(f)
	} else if deflater, err = flate.NewWriter(f, t.level); err != nil {
		return name, err
	}
	defer pool.Put(deflater)
	if name, err = fill(deflater); err != nil {
		return name, err
	}
	return name, deflater.Close()
}
