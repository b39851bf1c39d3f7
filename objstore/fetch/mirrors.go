package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// request is what is asked of a source.
type request struct {
	path    string
	limit   int64
	content bool
	known   Validators // the state of which no copy is needed
	first   int64      // bytes of which no more are needed; 0 is all

	from   *base      // that a beginning came from; nil where there is none
	offset int64      // from which on the rest is needed
	state  Validators // of the file whose beginning there is
}

// reply is a source's answer.
type reply struct {
	body      io.ReadCloser
	cancel    context.CancelCauseFunc // ends it; nil where nothing can hang
	offset    int64                   // of the first byte
	size      int64                   // up to where body goes, -1 unless known
	total     int64                   // of the whole file, -1 unless known
	state     Validators
	unchanged bool // it is what the request knows
}

func (r *reply) close() {
	r.body.Close()
	if r.cancel != nil {
		r.cancel(nil)
	}
}

// source is a kind of place that has files.
type source interface {
	open(ctx context.Context, b *base, r request) (*reply, error)
}

// base is a base URL.
type base struct {
	address *url.URL
	source  source
}

// url names a file for messages, without a password.
func (b *base) url(path string) string {
	if b == nil {
		return path
	}
	return Shown(b.join(path))
}

func (b *base) explain(err error, path string) error { return explain(err, b.url(path)) }

// join is the URL of a file below the base.
func (b *base) join(name string) string {
	u := *b.address
	raw := strings.TrimRight(u.EscapedPath(), "/") + "/" + escape(name)
	u.Path = path.Join("/", u.Path, name)
	u.RawPath = raw
	return u.String()
}

// mirrors are bases that hold the same.
type mirrors struct {
	mu    sync.Mutex
	order []*base
}

func newMirrors(urls []string, web *web) (*mirrors, error) {
	m := &mirrors{}
	for _, text := range urls {
		b, err := parseBase(text, web)
		if err != nil {
			return nil, err
		}
		m.order = append(m.order, b)
	}
	if len(m.order) == 0 {
		return nil, errors.New("fetch: no URL")
	}
	return m, nil
}

func parseBase(text string, web *web) (*base, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: no URL", Shown(text))
	case u.Scheme == "":
		return nil, errors.New("URI is not absolute, and no base URI was provided")
	case u.Scheme == "file" && (u.Host == "" || u.Host == "localhost"):
		return &base{address: u, source: disk{}}, nil
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		return &base{address: u, source: web}, nil
	}
	return nil, fmt.Errorf("Invalid URI scheme in %s", Shown(text))
}

// list is the bases, the best first; one that the request came from before is asked first.
func (m *mirrors) list(first *base) []*base {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := slices.Clone(m.order)
	if i := slices.Index(list, first); i > 0 {
		list = slices.Insert(slices.Delete(list, i, i+1), 0, first)
	}
	return list
}

// demote makes a base that does not answer the last one.
func (m *mirrors) demote(b *base) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.Index(m.order, b); i >= 0 && len(m.order) > 1 {
		m.order = append(slices.Delete(m.order, i, i+1), b)
	}
}

// ask asks one base after the other. When none has the file, the error is the last one's; again says
// that one of them failed in a way that may pass.
func (m *mirrors) ask(ctx context.Context, r request) (got *reply, from *base, again bool, err error) {
	for _, b := range m.list(r.from) {
		if got, err = b.source.open(ctx, b, r); err == nil {
			return got, b, false, nil
		}
		if ctx.Err() != nil {
			return nil, nil, false, context.Cause(ctx)
		}
		var too *SizeError
		if errors.As(err, &too) {
			return nil, nil, false, err
		}
		again = again || passes(err)
		var status *StatusError
		if !errors.As(err, &status) {
			m.demote(b)
		}
	}
	return nil, nil, again, err
}

const (
	firstPause = 50 * time.Millisecond
	maxPause   = 10 * time.Second
)

// backoff waits before a retry: twice as long each time, and not at the same time as others do.
func backoff(ctx context.Context, round int) error {
	d := min(firstPause<<min(round, 10), maxPause)
	timer := time.NewTimer(d/2 + rand.N(d/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
