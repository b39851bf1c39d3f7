package fetch

import (
	"context"
	"fmt"
	"net/url"
	"path"
)

// Address returns the whole of the file at a URL, of limit bytes at the most. What else is in c holds,
// but its URLs.
func Address(ctx context.Context, c Config, address string, limit int64) ([]byte, error) {
	dir, name, err := Split(address)
	if err != nil {
		return nil, err
	}
	c.URLs, c.ContentURLs, c.Known = []string{dir}, nil, nil
	client, err := New(c)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return client.Get(ctx, File{Path: name}, limit)
}

// Split returns the URL of the directory that a file's URL is in, and the file's name there. The query
// stays with the directory.
func Split(address string) (dir, name string, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Path == "" || path.Base(u.Path) == "/" {
		return "", "", fmt.Errorf("%s: no URL of a file", Shown(address))
	}
	name = path.Base(u.Path)
	u.Path, u.RawPath = path.Dir(u.Path), ""
	return u.String(), name, nil
}
