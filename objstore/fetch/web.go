package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// streamBuffer is how many bytes of a file may wait for its reader, of each file that comes over one
// connection.
const streamBuffer = 1 << 20

// web is the source of http and https URLs.
type web struct {
	transport *http.Transport
	client    *http.Client
	cookies   []Cookie
	header    http.Header // of each request
	moved     *atomic.Int64
}

// newWeb is what asks servers; moved counts the bytes of answers that are no files.
func newWeb(c Config, stall time.Duration, moved *atomic.Int64) (*web, error) {
	silence()
	tlsConfig, err := tlsConfig(c)
	if err != nil {
		return nil, err
	}
	proxy, err := proxyFor(c.Proxy)
	if err != nil {
		return nil, err
	}
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(!c.NoHTTP2)
	w := &web{
		header: c.header(), cookies: c.Cookies, moved: moved,
		transport: &http.Transport{
			Proxy:                  proxy,
			DialContext:            (&net.Dialer{Timeout: connectTime}).DialContext,
			TLSClientConfig:        tlsConfig,
			TLSHandshakeTimeout:    connectTime,
			ResponseHeaderTimeout:  stall,
			IdleConnTimeout:        time.Minute,
			MaxIdleConnsPerHost:    parallel(c),
			DisableCompression:     true, // objects are checked in the form in which they are stored
			Protocols:              protocols,
			HTTP2:                  &http.HTTP2Config{SendPingTimeout: stall / 2, PingTimeout: stall / 2, MaxReceiveBufferPerStream: streamBuffer},
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
	w.client = &http.Client{Transport: w, CheckRedirect: checkRedirect}
	return w, nil
}

func (w *web) open(ctx context.Context, b *base, r request) (*reply, error) {
	ctx, cancel := context.WithCancelCause(context.WithValue(ctx, contentRequest{}, r.content))
	asked, err := w.request(ctx, b, r)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	answer, err := w.client.Do(asked)
	if err != nil {
		cancel(nil)
		return nil, b.explain(err, r.path)
	}
	got, err := judge(answer, r, cancel)
	if err != nil {
		w.moved.Add(drain(answer.Body))
		cancel(nil)
		return nil, err
	}
	return got, nil
}

func (w *web) request(ctx context.Context, b *base, r request) (*http.Request, error) {
	asked, err := http.NewRequestWithContext(ctx, http.MethodGet, b.join(r.path), nil)
	if err != nil {
		return nil, err
	}
	asked.Header = w.header.Clone()
	if user := asked.URL.User; user != nil {
		password, _ := user.Password()
		if asked.Header.Get("Authorization") == "" {
			asked.SetBasicAuth(user.Username(), password)
		}
		asked.URL.User = nil
	}
	if host := w.header.Get("Host"); host != "" {
		asked.Host = host
	}
	if r.known.ETag != "" {
		asked.Header.Set("If-None-Match", r.known.ETag)
	}
	if t := r.known.LastModified; !t.IsZero() {
		asked.Header.Set("If-Modified-Since", t.UTC().Format(http.TimeFormat))
	}
	if r.first > 0 {
		asked.Header.Set("Range", fmt.Sprintf("bytes=0-%d", r.first-1))
	}
	// Also from 0 on: a server that breaks off whole files may give parts.
	if v := r.state.strong(); r.from != nil && (r.content || v != "" && b == r.from) {
		asked.Header.Set("Range", fmt.Sprintf("bytes=%d-", r.offset))
		if v != "" && b == r.from {
			asked.Header.Set("If-Range", v)
		}
	}
	return asked, nil
}

// strong is what identifies the very bytes of a file, "" without.
func (v Validators) strong() string {
	switch {
	case v.ETag != "" && !strings.HasPrefix(v.ETag, "W/"):
		return v.ETag
	case v.ETag == "" && !v.LastModified.IsZero():
		return v.LastModified.UTC().Format(http.TimeFormat)
	}
	return ""
}

// judge decides what an answer is good for.
func judge(answer *http.Response, r request, cancel context.CancelCauseFunc) (*reply, error) {
	got := &reply{body: answer.Body, cancel: cancel, size: answer.ContentLength, total: answer.ContentLength, state: validators(answer.Header)}
	place := Shown(answer.Request.URL.String())
	switch code := answer.StatusCode; {
	case code == http.StatusNotModified && !r.known.empty():
		got.unchanged, got.size = true, 0
	case code == http.StatusPartialContent && r.first > 0:
		part, total, err := beginning(answer)
		if err != nil {
			return nil, &TransferError{URL: place, Code: codeRange, Err: err}
		}
		got.size, got.total = part, total
		return got, nil
	case code == http.StatusPartialContent:
		first, size, ok := parseContentRange(answer.Header.Get("Content-Range"))
		if !ok || r.from == nil || first != r.offset || !r.content && (r.state.empty() || !got.state.agrees(r.state)) {
			return nil, &TransferError{URL: place, Code: codeRange, Err: errors.New("the answer is another part of the file than was asked for")}
		}
		got.offset, got.size, got.total = first, size, size
	case code < 200 || code > 299:
		return nil, &StatusError{URL: place, Status: code}
	}
	if r.limit > 0 && got.size > r.limit {
		return nil, &SizeError{URL: place, Limit: r.limit}
	}
	return got, nil
}

// agrees reports whether nothing of what both say differs.
func (v Validators) agrees(w Validators) bool {
	return (v.ETag == "" || w.ETag == "" || v.ETag == w.ETag) &&
		(v.LastModified.IsZero() || w.LastModified.IsZero() || v.LastModified.Equal(w.LastModified))
}

func validators(h http.Header) Validators {
	v := Validators{ETag: h.Get("ETag")}
	if t, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		v.LastModified = t
	}
	return v
}

// parseContentRange reads "bytes FIRST-LAST/SIZE"; size is -1 when it is "*".
func parseContentRange(text string) (first, size int64, ok bool) {
	text, ok = strings.CutPrefix(text, "bytes ")
	span, total, ok2 := strings.Cut(text, "/")
	from, to, ok3 := strings.Cut(span, "-")
	if !ok || !ok2 || !ok3 {
		return 0, 0, false
	}
	first, err := strconv.ParseInt(from, 10, 64)
	last, err2 := strconv.ParseInt(to, 10, 64)
	if total == "*" {
		return first, -1, err == nil && err2 == nil && 0 <= first && first <= last
	}
	size, err3 := strconv.ParseInt(total, 10, 64)
	return first, size, err == nil && err2 == nil && err3 == nil && 0 <= first && first <= last && last == size-1
}

// Shown is a URL for messages, without the password in it.
func Shown(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text[strings.LastIndexByte(text, '@')+1:]
	}
	if u.User == nil {
		return text
	}
	u.User = url.User(u.User.Username())
	return u.String()
}

func escape(path string) string { return (&url.URL{Path: path}).EscapedPath() }
