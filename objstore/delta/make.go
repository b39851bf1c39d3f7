package delta

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"deployfs/objstore/delta/bsdiff"
	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
)

// maker does the operations of a part.
type maker struct {
	ctx     context.Context
	t       *transaction.Transaction
	objects []object.Name // that are to be made
	made    int
	payload *payload
	scan    scanner

	source *source // that is set; nil for none
	opened *source // the last one that was set, which may be set again
}

var (
	errNoObject = errors.New("the part makes no further object")
	errNotOpen  = errors.New("no file is open")
	errOpen     = errors.New("a file is open already")
	errNoSource = errors.New("no read source is set")
	errUnclosed = errors.New("the file is not closed")
	errNotFile  = errors.New("the object is no regular file")
)

// run does all of them.
func (m *maker) run() error {
	for len(m.scan.rest) > 0 {
		op, err := m.next()
		if err != nil {
			return err
		}
		switch op.code {
		case OpSplice:
			err = m.splice(op)
		case OpOpen:
			err = m.file(op)
		case OpSetSource, OpUnsetSource:
			err = m.setSource(op)
		default:
			err = op.failed(errNotOpen)
		}
		if err != nil {
			return err
		}
	}
	if m.made < len(m.objects) {
		return fmt.Errorf("%d of the part's %d objects are not made", len(m.objects)-m.made, len(m.objects))
	}
	return nil
}

// next reads an operation.
func (m *maker) next() (operation, error) {
	if err := m.ctx.Err(); err != nil {
		return operation{}, err
	}
	return m.scan.next(isMeta(m.objects, m.made))
}

// isMeta reports whether an object of a list is metadata.
func isMeta(list []object.Name, i int) bool {
	return i < len(list) && list[i].Kind != object.KindFile
}

// target is the object that is to be made next, and whether it is there already.
func (m *maker) target() (name object.Name, held bool, err error) {
	if m.made == len(m.objects) {
		return name, false, errNoObject
	}
	name = m.objects[m.made]
	held, err = m.t.Holds(name)
	return name, held, err
}

// splice makes an object out of the data alone.
func (m *maker) splice(op operation) error {
	name, held, err := m.target()
	if err == nil && name.Kind != object.KindFile {
		err = m.metadata(name, held, op.args[1], op.args[0])
	} else if err == nil {
		err = m.content(name, held, op)
	}
	if err != nil {
		return op.failed(err)
	}
	m.done()
	return nil
}

func (m *maker) metadata(name object.Name, held bool, offset, length uint64) error {
	data, err := m.payload.slice(offset, length)
	if err != nil || held {
		return err
	}
	if found := object.Checksum(sha256.Sum256(data)); found != name.Checksum {
		return object.Mismatch(name, found)
	}
	switch name.Kind {
	case object.KindDirTree:
		_, err = object.DecodeDirTree(data)
	case object.KindDirMeta:
		_, err = object.DecodeDirMeta(data)
	default:
		return nil // the commit that the delta leads to, which the superblock has, too
	}
	if err != nil {
		return object.Corrupt(name, err)
	}
	_, err = m.t.WriteMetadata(name.Kind, data)
	return err
}

// content makes a regular file or a symbolic link.
func (m *maker) content(name object.Name, held bool, op operation) error {
	h, err := m.payload.header(op.args[0], op.args[1])
	if err != nil {
		return err
	}
	data, err := m.payload.slice(op.args[3], op.args[2])
	if err != nil || held {
		return err
	}
	if h.IsSymlink() {
		h.Target = string(data)
	} else {
		h.Size = uint64(len(data))
	}
	return m.t.WriteNamed(name.Checksum, h, func(to io.Writer) error {
		_, err := io.Copy(to, bytes.NewReader(data))
		return err
	})
}

// file makes a regular file of several pieces.
func (m *maker) file(op operation) error {
	name, held, err := m.target()
	if err == nil && name.Kind != object.KindFile {
		err = errNotFile
	}
	var h object.Header
	if err == nil {
		h, err = m.payload.header(op.args[0], op.args[1])
	}
	if err == nil && h.Mode&object.ModeType != object.ModeRegular {
		err = fmt.Errorf("invalid mode %d", h.Mode)
	}
	if err != nil {
		return op.failed(err)
	}
	h.Size = op.args[2]
	if held {
		return m.pieces(nil, h.Size)
	}
	return m.write(op, name, h)
}

// write writes a file that the repository lacks.
func (m *maker) write(op operation, name object.Name, h object.Header) error {
	failed := op.failed // says what went wrong
	var inside error    // an operation's
	err := m.t.WriteNamed(name.Checksum, h, func(to io.Writer) error {
		buffered := bufio.NewWriterSize(to, 64<<10)
		if inside = m.pieces(buffered, h.Size); inside != nil {
			return inside
		}
		failed = operation{code: OpClose}.failed
		return buffered.Flush()
	})
	switch {
	case inside != nil:
		return inside
	case err != nil:
		return failed(m.blame(err))
	}
	return nil
}

// blame says which source is damaged, where this is why an object did not come out.
func (m *maker) blame(err error) error {
	damage := (*object.CorruptError)(nil)
	if m.opened != nil && errors.As(err, &damage) {
		if err := m.opened.verify(); err != nil {
			return fmt.Errorf("Opening content object %s: %w", m.opened.sum, words(err))
		}
	}
	return err
}

// pieces does the operations up to the end of a file of that size. To is nil for one
// that need not be written.
func (m *maker) pieces(to io.Writer, size uint64) error {
	for len(m.scan.rest) > 0 {
		op, err := m.next()
		if err != nil {
			return err
		}
		switch op.code {
		case OpWrite:
			err = m.piece(to, op.args[1], op.args[0])
		case OpPatch:
			err = m.patch(to, op.args[0], op.args[1], size)
		case OpSetSource, OpUnsetSource:
			if err := m.setSource(op); err != nil {
				return err
			}
		case OpClose:
			m.done()
			return nil
		default:
			err = errOpen
		}
		if err != nil {
			return op.failed(err)
		}
	}
	return operation{code: OpOpen}.failed(errUnclosed)
}

// done says that an object is made.
func (m *maker) done() {
	m.made++
	m.source = nil
}

// piece copies from the source, or from the data where none is set.
func (m *maker) piece(to io.Writer, offset, length uint64) error {
	if m.source == nil {
		data, err := m.payload.slice(offset, length)
		if err == nil && to != nil {
			_, err = to.Write(data)
		}
		return err
	}
	if to == nil {
		return nil
	}
	return m.source.copy(to, offset, length)
}

// patch writes a file of that size, which is the source patched.
func (m *maker) patch(to io.Writer, offset, length, size uint64) error {
	data, err := m.payload.slice(offset, length)
	switch {
	case err != nil:
		return err
	case m.source == nil:
		return errNoSource
	case to == nil:
		return nil
	}
	old, oldSize, err := m.source.open()
	if err != nil {
		return err
	}
	if err = bsdiff.Patch(to, old, oldSize, data, int64(size)); errors.Is(err, bsdiff.ErrCorrupt) {
		err = fmt.Errorf("bsdiff patch failed: %w", err)
	}
	return err
}
