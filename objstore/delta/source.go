package delta

import (
	"bytes"
	"fmt"
	"io"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// source is content that the repository holds, to be copied from.
type source struct {
	repo    *objstore.Repo
	sum     object.Checksum
	content *objstore.Content
	bulk    *bulk // the content, where its file holds it compressed; nil before it is needed
}

// setSource sets the source, or none.
func (m *maker) setSource(op operation) error {
	m.source = nil
	if op.code == OpUnsetSource {
		return nil
	}
	data, err := m.payload.slice(op.args[0], uint64(len(object.Checksum{})))
	if err != nil {
		return op.failed(err)
	}
	sum := object.Checksum(data)
	if m.opened == nil || m.opened.sum != sum {
		m.closeSource()
		if m.opened, err = openSource(m.t.Repo(), sum); err != nil {
			return op.failed(fmt.Errorf("Opening content object %s: %w", sum, err))
		}
	}
	m.source = m.opened
	return nil
}

func (m *maker) closeSource() {
	if m.opened != nil {
		m.opened.close()
		m.opened = nil
	}
}

func openSource(repo *objstore.Repo, sum object.Checksum) (*source, error) {
	content, err := repo.Content(sum)
	if err != nil {
		return nil, err
	}
	if content.Header.IsSymlink() {
		content.Close()
		return nil, errNotFile
	}
	return &source{repo: repo, sum: sum, content: content}, nil
}

// open is the content, and its size in bytes. It is checked only where it has to be read
// whole: what is made of it will be.
func (s *source) open() (io.ReaderAt, int64, error) {
	if file := s.content.Plain(); file != nil {
		return file, s.content.Size(), nil
	}
	if s.bulk == nil {
		bulk, err := gather(s.repo, s.content)
		if err != nil {
			return nil, 0, fmt.Errorf("Opening content object %s: %w", s.sum, words(err))
		}
		s.bulk = bulk
	}
	return bytes.NewReader(s.bulk.data), int64(len(s.bulk.data)), nil
}

// copy copies a piece, all of which must be there.
func (s *source) copy(to io.Writer, offset, length uint64) error {
	from, size, err := s.open()
	if err != nil {
		return err
	}
	if offset > uint64(size) || length > uint64(size)-offset {
		return fmt.Errorf("Unexpected EOF reading object %s", s.sum)
	}
	_, err = io.Copy(to, io.NewSectionReader(from, int64(offset), int64(length)))
	return err
}

// verify fails unless the content is what its name says.
func (s *source) verify() error {
	if file := s.content.Plain(); file != nil {
		return s.content.CheckFile(io.NewSectionReader(file, 0, s.content.Size()+1))
	}
	return nil
}

func (s *source) close() {
	s.content.Close()
	if s.bulk != nil {
		s.bulk.close()
	}
}
