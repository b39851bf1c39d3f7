package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
)

// many checks out what a list says: pairs of COMMIT and PATH, each ended by a NUL.
func (c *checkouts) many() error {
	list, err := c.o.openList()
	if err != nil {
		return err
	}
	defer list.Close()
	in := bufio.NewReader(list)
	for {
		rev, _, err := nextWord(in)
		if err != nil || rev == "" {
			return err
		}
		path, found, err := nextWord(in)
		if err != nil {
			return err
		}
		sum, err := c.repo.Resolve(rev)
		if err != nil {
			return err
		}
		subpath := &path
		if !found {
			subpath = nil
		}
		if err := c.one(sum, subpath); err != nil {
			return fmt.Errorf("Processing tree %s: %w", sum, err)
		}
	}
}

func (o *checkoutOptions) openList() (*os.File, error) {
	if o.fromStdin {
		return os.Stdin, nil
	}
	f, err := os.Open(*o.fromFile)
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = cli.Words(fmt.Sprintf("Error opening file %s: %s", *o.fromFile, objstore.ErrnoText(errno)))
	}
	return f, err
}

// maxWord bounds a word of a list, in bytes.
const maxWord = 1 << 16

// nextWord reads up to a NUL or the end; found is false at the end.
func nextWord(in *bufio.Reader) (word string, found bool, err error) {
	var text []byte
	for len(text) < maxWord {
		b, err := in.ReadByte()
		switch {
		case err == io.EOF:
			return string(text), len(text) > 0, nil
		case err != nil:
			return "", false, err
		case b == 0:
			return string(text), true, nil
		}
		text = append(text, b)
	}
	return "", false, fmt.Errorf("a word of more than %d bytes", maxWord)
}
