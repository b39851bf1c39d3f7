// Package fetch gets files below a URL, over HTTP or from a directory.
//
// It knows nothing of repositories: a file is a path below one of several base URLs that hold the
// same (mirrors). What a server says of itself is not trusted: every answer is bounded, whatever its
// length claims to be, and a transfer that breaks off is either finished or an error, never short.
// Errors are in the words of ostree and of libcurl below it, which scripts match.
package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"sync/atomic"
	"time"
)

// Config says where files are and how to ask for them.
type Config struct {
	URLs        []string // base URLs that hold the same, the preferred first: http, https, file
	ContentURLs []string // those of what is content; without any, URLs

	Headers   []Header // of each request
	Agent     string   // the program that asks, NAME/VERSION; without one, DefaultAgent
	UserAgent string   // put behind Agent
	Cookies   []Cookie

	Proxy                     string // a URL, or HOST:PORT as curl takes it; without one, what the environment says
	Insecure                  bool   // any certificate is good
	CAFile, CertFile, KeyFile string // PEM; without a CAFile, the system's
	NoHTTP2                   bool

	Retries  int           // of one file, upon errors that may pass; 0 is none
	Parallel int           // requests in flight; 0 is DefaultParallel
	Stall    time.Duration // that a server may be silent or too slow; 0 is 30 s
	Slowest  int64         // bytes a second that are not too slow; 0 is 1000

	Known map[string][]byte // files that are not asked for, because their content is known, by path
}

// Header is a field of a request's header.
type Header struct{ Name, Value string }

// DefaultAgent is how a program introduces itself that has no other name.
const DefaultAgent = "deployfs"

// DefaultParallel is how many requests are in flight at once. A request costs the time to the server
// and back whatever its size, and most files are small.
const DefaultParallel = 32

// DefaultRetries is how often a file is asked for again.
const DefaultRetries = 5

const (
	connectTime = 30 * time.Second
	stallTime   = 30 * time.Second
)

// File names a file below the base URLs.
type File struct {
	Path    string // slash-separated, without . and .. in it
	Content bool   // below ContentURLs. The name vouches for what is in it, as a checksum does.
}

// Validators are what a server said of the state of a file, for asking whether there is a newer one.
type Validators struct {
	ETag         string
	LastModified time.Time
}

func (v Validators) empty() bool { return v.ETag == "" && v.LastModified.IsZero() }

// or is v, and of w what v lacks.
func (v Validators) or(w Validators) Validators {
	if v.ETag == "" {
		v.ETag = w.ETag
	}
	if v.LastModified.IsZero() {
		v.LastModified = w.LastModified
	}
	return v
}

// Client gets files. Its methods may be called at the same time.
type Client struct {
	meta, content *mirrors
	known         map[string][]byte
	slots         chan struct{}
	retries       int
	stall         time.Duration
	slowest       int64
	pause         func(ctx context.Context, round int) error
	transport     *http.Transport
	moved         atomic.Int64
}

// New makes a client; it asks nobody yet.
func New(c Config) (*Client, error) {
	client := &Client{
		known: c.Known, retries: max(c.Retries, 0), stall: c.Stall, pause: backoff,
		slots: make(chan struct{}, parallel(c)),
	}
	if client.stall <= 0 {
		client.stall = stallTime
	}
	if client.slowest = c.Slowest; client.slowest <= 0 {
		client.slowest = slowRate
	}
	if err := c.checkHeaders(); err != nil {
		return nil, err
	}
	web, err := newWeb(c, client.stall, &client.moved)
	if err != nil {
		return nil, err
	}
	client.transport = web.transport
	if client.meta, err = newMirrors(c.URLs, web); err != nil {
		return nil, err
	}
	if client.content = client.meta; len(c.ContentURLs) > 0 {
		client.content, err = newMirrors(c.ContentURLs, web)
	}
	return client, err
}

func parallel(c Config) int {
	if c.Parallel > 0 {
		return c.Parallel
	}
	return DefaultParallel
}

// Close ends the connections that nobody uses.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Transferred is how many bytes have come of files, in the form in which they came, and of answers that
// there are none.
func (c *Client) Transferred() int64 { return c.moved.Load() }

// Get returns the whole of a file of limit bytes at the most. What no server has is an error that is
// fs.ErrNotExist.
func (c *Client) Get(ctx context.Context, f File, limit int64) ([]byte, error) {
	data, _, _, err := c.Refresh(ctx, f, limit, Validators{})
	return data, err
}

// Refresh returns the whole of a file of limit bytes at the most, unless it still is what v says.
func (c *Client) Refresh(ctx context.Context, f File, limit int64, v Validators) (data []byte, now Validators, changed bool, err error) {
	if limit <= 0 {
		return nil, v, false, fmt.Errorf("%s: no limit to its size", f.Path)
	}
	for left := c.retries; ; {
		body, err := c.open(ctx, f, request{limit: limit, known: v}, left)
		if err != nil {
			return nil, v, false, err
		}
		data, now, changed, err = body.whole(v)
		body.Close()
		var other *changedError
		if !errors.As(err, &other) {
			return data, now, changed, err
		}
		if left = min(left-1, body.left); left <= 0 { // what the body gained is of a file that is no more
			return nil, v, false, other.broke
		}
	}
}

// whole reads all that comes.
func (b *Body) whole(v Validators) (data []byte, now Validators, changed bool, err error) {
	if b.unchanged {
		return nil, b.state.or(v), false, nil
	}
	var buffer bytes.Buffer
	buffer.Grow(int(min(max(b.size, 0), maxGrow) + bytes.MinRead))
	if _, err := buffer.ReadFrom(b); err != nil {
		return nil, v, false, err
	}
	return buffer.Bytes(), b.state, true, nil
}

// maxGrow is what memory a claim of a server is given before the bytes come.
const maxGrow = 1 << 20

// Open returns a file as it comes. What no server has is an error that is fs.ErrNotExist. A file of
// more than limit bytes is an error, here or of a Read; with limit 0 or less there is no limit. The
// request counts as one in flight until the end was read or the body closed.
func (c *Client) Open(ctx context.Context, f File, limit int64) (*Body, error) {
	return c.open(ctx, f, request{limit: limit}, c.retries)
}

func (c *Client) open(ctx context.Context, f File, r request, left int) (*Body, error) {
	if !fs.ValidPath(f.Path) || f.Path == "." {
		return nil, fmt.Errorf("fetch: no path of a file: %q", f.Path)
	}
	b := &Body{client: c, ctx: ctx, file: f, limit: r.limit, left: left, mirrors: c.meta}
	if f.Content {
		b.mirrors = c.content
	}
	if data, ok := c.known[f.Path]; ok {
		b.take(&reply{body: io.NopCloser(bytes.NewReader(data)), size: int64(len(data)), total: int64(len(data))}, nil)
		return b, nil
	}
	select {
	case c.slots <- struct{}{}:
		b.slot = true
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	r.path, r.content = f.Path, f.Content
	if err := b.connect(r); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}
