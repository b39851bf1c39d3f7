package lazy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// check fails unless data is what a metadata object's name says.
func check(name object.Name, data []byte) error {
	if name.Kind == object.KindCommitMeta { // no checksum covers it
		_, err := gvariant.Parse("a{sv}", data)
		return err
	}
	return objstore.CheckMetadata(name, data)
}

// limitOf is how large a metadata object may be, in bytes.
func limitOf(kind object.Kind) int64 {
	if kind == object.KindDirMeta {
		return object.MaxHeader
	}
	return objstore.MaxMetadata
}

// bring fetches an object into the cache, verified.
func (s *Source) bring(name object.Name) error {
	_, err := s.bringing.Do(name, func() (struct{}, error) {
		release, there := s.cache.fetching(s.ctx, name, func() bool { return s.cache.holds(name) })
		if there {
			return struct{}{}, nil
		}
		defer release()
		err := s.fetch(name)
		if err == nil {
			s.objects.Add(1)
			if s.opts.Arrived != nil {
				s.opts.Arrived(name)
			}
		}
		return struct{}{}, err
	})
	return err
}

func (s *Source) fetch(name object.Name) error {
	err := s.link.try(func() error {
		if name.Kind == object.KindFile {
			return s.fetchContent(name)
		}
		return s.fetchMetadata(name)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return &object.NotExistError{Object: name}
	}
	return err
}

// place is where the server has an object.
func (s *Source) place(name object.Name) fetch.File {
	_, path := s.cache.repo.ObjectFile(name)
	return fetch.File{Path: "objects/" + path, Content: name.Kind != object.KindCommitMeta}
}

func (s *Source) fetchMetadata(name object.Name) error {
	data, err := s.get(s.place(name), limitOf(name.Kind))
	if err != nil {
		return err
	}
	if err := check(name, data); err != nil {
		return served(name, err)
	}
	return s.cache.write(s.cache.file(name), name.Checksum, data)
}

// served says that an object is bad as the server has it.
func served(name object.Name, err error) error {
	if isCorrupt(err) {
		return fmt.Errorf("from the server: %w", err)
	}
	return fmt.Errorf("from the server: %w", object.Corrupt(name, err))
}

// get fetches a small file whole.
func (s *Source) get(f fetch.File, limit int64) ([]byte, error) {
	ctx, cancel := s.patient()
	defer cancel()
	return s.client.Get(ctx, f, limit)
}

// patient ends when the server has been given enough time for something small.
func (s *Source) patient() (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(s.ctx, s.opts.Timeout, errSilent)
}

// fetchContent writes a content object while it verifies it.
func (s *Source) fetchContent(name object.Name) error {
	ctx, cancel := context.WithCancelCause(s.ctx)
	defer cancel(nil)
	idle := time.AfterFunc(s.opts.Timeout, func() { cancel(errSilent) })
	defer idle.Stop()
	body, err := s.client.Open(ctx, s.place(name), 0)
	if err != nil {
		return because(ctx, err)
	}
	defer body.Close()
	file, err := s.cache.create()
	if err != nil {
		return err
	}
	defer file.Close()
	from := &lively{from: body, end: idle, patience: s.opts.Timeout}
	if err = s.copyContent(name, io.TeeReader(from, file), body.Size()); from.err != nil {
		err = because(ctx, from.err)
	}
	if err == nil {
		err = s.cache.place(file, s.cache.file(name), name.Checksum)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}

// because is why something failed: that the server was silent, if it was.
func because(ctx context.Context, err error) error {
	if context.Cause(ctx) == errSilent {
		return errSilent
	}
	return err
}

// lively puts an end off as long as something comes.
type lively struct {
	from     io.Reader
	end      *time.Timer
	patience time.Duration
	err      error // of from
}

func (l *lively) Read(p []byte) (int, error) {
	n, err := l.from.Read(p)
	if n > 0 {
		l.end.Reset(l.patience)
	}
	if err != nil && err != io.EOF {
		l.err = err
	}
	return n, err
}

// slack is what a .filez file may have more than its content, in bytes, whose deflation makes it
// an eighth larger at the worst.
const slack = 64 << 10

var errTooLong = errors.New("the file is longer than its content takes")

// copyContent reads a .filez file to its end, and fails unless it is what its name says,
// under the header that was told of it.
func (s *Source) copyContent(name object.Name, file io.Reader, size int64) error {
	bounded := &io.LimitedReader{R: file, N: object.MaxHeader + slack}
	content, err := objstore.ArchivedContent(name.Checksum, bounded, size)
	if err == nil {
		bounded.N += int64(min(content.Header.Size, 1<<60) / 8 * 9)
		err = verify(name.Checksum, content)
		content.Close()
	}
	if err == nil {
		bounded.N = min(bounded.N, slack)
		if _, err = io.Copy(io.Discard, bounded); err == nil && bounded.N == 0 {
			err = object.Corrupt(name, errTooLong)
		}
	}
	var unread *objstore.ReadError
	switch {
	case errors.As(err, &unread):
		return unread.Err
	case err != nil && isCorrupt(err):
		return served(name, err)
	case err != nil:
		return err
	}
	return s.cache.checkTold(name.Checksum, &content.Header, s.opts.Since)
}

func verify(sum object.Checksum, content *objstore.Content) error {
	if content.Header.IsSymlink() {
		return objstore.CheckEmpty(sum, content.Header)
	}
	return content.Verify()
}

// keepWhole puts a content object into the cache that was fetched for its header and is whole.
func (s *Source) keepWhole(name object.Name, data []byte) error {
	if err := s.copyContent(name, bytes.NewReader(data), int64(len(data))); err != nil {
		return err
	}
	err := s.cache.write(s.cache.file(name), name.Checksum, data)
	if err == nil && s.opts.Arrived != nil {
		s.opts.Arrived(name)
	}
	return err
}
