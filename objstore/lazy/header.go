package lazy

import (
	"errors"
	"fmt"
	"io/fs"

	"deployfs/objstore/object"
)

// firstBytes is how much is fetched of a content object for its header: nearly every header,
// and small files whole, in an answer of one packet. More takes no longer on a fast line: of
// 2,951 files of 53 KiB on average, 1 KiB of each is 2.9 MiB, 4 KiB are 10, 16 KiB 30, and to
// fetch whole those below 256 KiB, 99.
const firstBytes = 1024

// bringHeader fetches the beginning of a content object.
func (s *Source) bringHeader(sum object.Checksum) (object.Header, error) {
	return s.heading.Do(sum, func() (h object.Header, err error) {
		err = s.link.try(func() error {
			h, err = s.fetchHeader(object.Name{Checksum: sum, Kind: object.KindFile})
			return err
		})
		if errors.Is(err, fs.ErrNotExist) {
			err = &object.NotExistError{Object: object.Name{Checksum: sum, Kind: object.KindFile}}
		}
		if err == nil {
			s.objects.Add(1)
		}
		return h, err
	})
}

func (s *Source) fetchHeader(name object.Name) (h object.Header, err error) {
	data, size, err := s.begin(name, firstBytes)
	if err != nil {
		return h, err
	}
	end, err := headerEnd(data, size)
	if err == nil && end > len(data) {
		if data, size, err = s.begin(name, int64(end)); err != nil {
			return h, err
		}
		end, err = headerEnd(data, size)
	}
	if err == nil && end > len(data) {
		err = errors.New("its header is cut short")
	}
	if err == nil {
		h, err = object.DecodeFilezHeader(data[object.HeaderPrefix:end])
	}
	if err != nil {
		return h, served(name, err)
	}
	if int64(len(data)) == size {
		return h, s.keepWhole(name, data)
	}
	return h, s.said.tell(name.Checksum, data[:end])
}

// begin fetches the first bytes of an object, and tells its size, -1 when the server does not.
func (s *Source) begin(name object.Name, n int64) ([]byte, int64, error) {
	ctx, cancel := s.patient()
	defer cancel()
	return s.client.Begin(ctx, s.place(name), n)
}

// headerEnd is where the header ends of an object of which the first bytes are known.
func headerEnd(data []byte, size int64) (int, error) {
	if len(data) < object.HeaderPrefix {
		return 0, fmt.Errorf("file of %d bytes is too short for a header", len(data))
	}
	if size < 0 {
		size = object.HeaderPrefix + object.MaxHeader
	}
	n, err := object.FilezHeaderSize([object.HeaderPrefix]byte(data), size)
	return object.HeaderPrefix + n, err
}
