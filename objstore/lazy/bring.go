package lazy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// check fails unless data is what a metadata object's name says.
func check(name object.Name, data []byte) error {
	if name.Kind == object.KindCommitMeta { // no checksum covers it
		if _, err := gvariant.Parse("a{sv}", data); err != nil {
			return object.Corrupt(name, err)
		}
		return nil
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
func (s *Source) bring(name object.Name) error { return s.bringUpTo(name, limitOf(name.Kind)) }

// bringTries is how often something is brought that is evicted before it can be opened: an
// eviction that found an older file of the name removes the new one.
const bringTries = 5

// bringAnd brings an object, and opens it.
func (s *Source) bringAnd(name object.Name, open func() error) (err error) {
	for range bringTries {
		if err = s.bring(name); err != nil {
			return err
		}
		if err = open(); !isAbsent(err) {
			return err
		}
	}
	return err
}

// bringUpTo is bring, but of metadata that is larger than limit bytes a [fetch.SizeError].
func (s *Source) bringUpTo(name object.Name, limit int64) error {
	for {
		tried, err := s.bringing.Do(name, func() (int64, error) { return limit, s.bringAlone(name, limit) })
		if tried >= limit || !errors.As(err, new(*fetch.SizeError)) {
			return err // and not that of somebody who would take less
		}
	}
}

func (s *Source) bringAlone(name object.Name, limit int64) error {
	release, there := s.cache.fetching(s.ctx, name, func() bool { return s.holds(name) })
	if there {
		return nil
	}
	defer release()
	err := s.fetch(name, limit)
	if err == nil {
		s.objects.Add(1)
		if s.opts.Arrived != nil {
			s.opts.Arrived(name)
		}
	}
	return err
}

func (s *Source) fetch(name object.Name, limit int64) error {
	err := s.link.try(func() error {
		if name.Kind == object.KindFile {
			return s.fetchContent(name)
		}
		return s.fetchMetadata(name, limit)
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

// heldMost is how many bytes of metadata are held at once that come from a server.
const heldMost = 64 << 20

// fetchMetadata holds an object in memory until it is written.
func (s *Source) fetchMetadata(name object.Name, limit int64) error {
	from, err := s.open(s.place(name), limit)
	if err != nil {
		return err
	}
	defer from.Close()
	data, release, err := s.memory.ReadAll(s.ctx, from, from.Size())
	if err != nil {
		return err
	}
	defer release()
	if err := check(name, data); err != nil {
		return served(name, err)
	}
	return s.cache.write(s.file(name), name.Checksum, data)
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
	from, err := s.open(s.place(name), 0)
	if err != nil {
		return err
	}
	defer from.Close()
	file, err := s.cache.create()
	if err != nil {
		return err
	}
	defer file.Close()
	if err = s.copyContent(name, io.TeeReader(from, file), from.Size()); from.err != nil {
		err = from.err
	}
	if err == nil {
		err = s.cache.place(file, s.cache.file(name), name.Checksum)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
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
	return s.said.checkTold(name.Checksum, &content.Header, s.opts.Since)
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
