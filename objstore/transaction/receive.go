package transaction

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// ReceiveOptions say what of received content is taken.
type ReceiveOptions struct {
	// Modest refuses regular files with a mode that bare-user-only can't keep.
	Modest bool
	// Unchecked takes content into an archive as it comes, without a look at it.
	Unchecked bool
}

// ReceiveMetadata writes a metadata object that has come from somewhere, when its bytes
// are what its name says and well-formed. One that is there is left alone.
func (t *Transaction) ReceiveMetadata(name object.Name, data []byte) error {
	t.count.metadata.Add(1)
	if err := CheckMetadata(name, data); err != nil {
		return err
	}
	at, err := t.find(name, form{unix.S_IFREG, int64(len(data))})
	if at != absent || err != nil {
		return err
	}
	placed, err := t.writeObject(name, data)
	if err != nil {
		return fmt.Errorf("writing object %s: %w", name, err)
	}
	if placed {
		t.count.metadataWritten.Add(1)
	}
	if name.Kind == object.KindCommit {
		t.claim(name)
	}
	return nil
}

// CheckMetadata fails, in ostree's words, unless data are a commit, dirtree or dirmeta of
// this name.
func CheckMetadata(name object.Name, data []byte) error {
	if err := objstore.CheckMetadata(name, data); err != nil {
		return &worded{reason(err), err}
	}
	if err := wellFormed(name.Kind, data); err != nil {
		return object.Corrupt(name, err)
	}
	return nil
}

// Receive writes a content object that comes as an archive repository keeps it: file is its
// .filez file from the begin, of which no more is read than is needed, and some of it is
// held in memory. It is verified while it is written, and has no name before. In an archive
// the file stays as it came, since deflating it anew would cost more, without what may follow
// the content.
func (t *Transaction) Receive(sum object.Checksum, file io.Reader, o ReceiveOptions) (done Imported, err error) {
	name := object.Name{Checksum: sum, Kind: object.KindFile}
	t.count.content.Add(1)
	block := blocks.Get().(*[small]byte)
	defer blocks.Put(block)
	n, err := io.ReadFull(file, block[:])
	begin := block[:n]
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		file = nil
	case err != nil:
		return done, err
	}
	if t.repo.Mode() == objstore.Archive {
		done.Written, err = t.receiveArchived(name, begin, file, o)
	} else {
		done.Written, err = t.receiveContent(name, begin, file, o, &done)
	}
	return done, receiveFailure(name, err)
}

// receiveFailure words what is wrong with content.
func receiveFailure(name object.Name, err error) error {
	damage, unread := (*object.CorruptError)(nil), (*objstore.ReadError)(nil)
	switch {
	case errors.As(err, &unread):
		return unread.Err
	case errors.As(err, &damage) && damage.Err != nil:
		return &worded{"Parsing " + name.String() + ": " + damage.Err.Error(), err}
	case damage != nil:
		return &worded{"Writing content object: " + reason(err), err}
	}
	return err
}

// openReceived reads the header of content: begin is what was read, rest what is to be read
// or nil.
func openReceived(name object.Name, begin []byte, rest io.Reader, o ReceiveOptions) (*objstore.Content, error) {
	size, file := int64(len(begin)), io.Reader(bytes.NewReader(begin))
	if rest != nil {
		size, file = -1, io.MultiReader(file, rest)
	}
	c, err := objstore.ArchivedContent(name.Checksum, file, size)
	if err == nil && o.Modest {
		if err = modest(name, &c.Header); err != nil {
			c.Close()
		}
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// receiveContent writes content as a bare repository keeps it.
func (t *Transaction) receiveContent(name object.Name, begin []byte, rest io.Reader, o ReceiveOptions, done *Imported) (uint64, error) {
	c, err := openReceived(name, begin, rest, o)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return t.takeContent(name, c, ImportOptions{Untrusted: true}, done)
}

// receiveArchived keeps the file that comes.
func (t *Transaction) receiveArchived(name object.Name, begin []byte, rest io.Reader, o ReceiveOptions) (written uint64, err error) {
	if rest == nil { // what is small is verified before anything is written
		var stored int64
		if written, stored, err = verifyReceived(name, begin, nil, o); err != nil {
			return 0, err
		}
		begin = begin[:stored]
	}
	f, err := t.newFile()
	if err != nil {
		return 0, err
	}
	defer f.close()
	if err := t.fillReceived(f, begin, rest, func(rest io.Reader) (stored int64, err error) {
		written, stored, err = verifyReceived(name, begin, rest, o)
		return stored, err
	}); err != nil {
		return 0, err
	}
	if err := unix.Fchmod(f.fd, 0o644); err != nil {
		return 0, fmt.Errorf("fchmod: %w", err)
	}
	placed, err := t.place(f, name)
	if placed {
		t.wrote(written)
	}
	return written, err
}

// fillReceived writes what comes while verify reads it, and keeps so many bytes as that tells.
func (t *Transaction) fillReceived(f *file, begin []byte, rest io.Reader, verify func(rest io.Reader) (stored int64, err error)) error {
	spent := &spender{t: t, to: f}
	if _, err := spent.Write(begin); err != nil || rest == nil {
		return err
	}
	stored, err := verify(bufio.NewReaderSize(io.TeeReader(rest, spent), small/4))
	if err != nil {
		return err
	}
	if err := unix.Ftruncate(f.fd, stored); err != nil {
		return fmt.Errorf("ftruncate: %w", err)
	}
	return nil
}

// verifyReceived reads content to its end and tells its size, and that of what it is stored as.
func verifyReceived(name object.Name, begin []byte, rest io.Reader, o ReceiveOptions) (size uint64, stored int64, err error) {
	if o.Unchecked {
		stored = int64(len(begin))
		if rest != nil {
			var more int64
			more, err = io.Copy(io.Discard, rest)
			stored += more
		}
		return 0, stored, err
	}
	c, err := openReceived(name, begin, rest, o)
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	if c.Header.IsSymlink() {
		return 0, c.Stored(), objstore.CheckEmpty(name.Checksum, c.Header)
	}
	err = c.Verify()
	return c.Header.Size, c.Stored(), err
}

// spender writes as long as there is space.
type spender struct {
	t  *Transaction
	to io.Writer
}

func (s *spender) Write(data []byte) (int, error) {
	if err := s.t.space.take(uint64(len(data))); err != nil {
		return 0, err
	}
	return s.to.Write(data)
}
