package lazy

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/summary"
)

// keepSummary remembers a server's summary and its signature, or that it has none.
func (c *Cache) keepSummary(id string, data, signatures []byte) error {
	for name, content := range map[string][]byte{id: data, id + ".sig": signatures} {
		path := c.path("summaries", name)
		if content == nil {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			continue
		}
		temp := c.path("tmp", objstore.TemporaryName())
		err := os.WriteFile(temp, content, 0o600)
		if err == nil {
			err = os.Rename(temp, path)
		}
		if err != nil {
			os.Remove(temp)
			return err
		}
	}
	return nil
}

// keptSummary is what was remembered; nil is that there was none.
func (c *Cache) keptSummary(id string) (data, signatures []byte, err error) {
	if data, err = c.readKept(c.path("summaries", id), summary.MaxSize); err != nil {
		return nil, nil, err
	}
	signatures, err = c.readKept(c.path("summaries", id+".sig"), summary.MaxSize)
	return data, signatures, err
}

// readKept reads a small file of the cache; nil is that it is not there.
func (c *Cache) readKept(path string, limit int64) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit))
	if data == nil && err == nil {
		data = []byte{}
	}
	return data, err
}
