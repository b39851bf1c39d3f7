package remote

import (
	"context"
	"fmt"
	"strings"

	"deployfs/objstore/fetch"
)

// Override is what a command says of a transport besides, and in the place of, the configuration.
type Override struct {
	URL       string // in the place of url and contenturl; also mirrorlist=URL
	Headers   []fetch.Header
	Agent     string // the program, NAME/VERSION; "" is fetch.DefaultAgent
	UserAgent string // put behind it
	Retries   *int   // of a file; nil is fetch.DefaultRetries
}

// maxMetadata is the size of the largest list of mirrors, metalink or summary, in bytes.
const maxMetadata = 10 << 20

// Transport is how to get at a remote's files, with what its configuration says of servers, proxy,
// keys and cookies. A name that is a URL is a remote without a configuration. Lists of mirrors and
// metalinks are fetched here; the summary of a metalink, which was checked against it, is among the
// files that are known.
func (l *List) Transport(ctx context.Context, name string, o Override) (fetch.Config, error) {
	c := fetch.Config{Headers: o.Headers, Agent: o.Agent, UserAgent: o.UserAgent, Retries: fetch.DefaultRetries}
	if o.Retries != nil {
		c.Retries = *o.Retries
	}
	if strings.Contains(name, "://") {
		return l.places(ctx, c, name, "", o)
	}
	if err := l.secure(&c, name); err != nil {
		return c, err
	}
	metalink, ok, err := l.Option(name, "metalink")
	if err != nil {
		return c, err
	}
	content, _, err := l.Option(name, "contenturl")
	if err != nil {
		return c, err
	}
	if ok {
		return fromMetalink(ctx, c, metalink, content)
	}
	url := o.URL
	if url == "" {
		if url, err = l.URL(name); err != nil {
			return c, err
		}
	}
	return l.places(ctx, c, url, content, o)
}

// places fills in where the files are.
func (l *List) places(ctx context.Context, c fetch.Config, url, content string, o Override) (fetch.Config, error) {
	if o.URL != "" {
		url, content = o.URL, o.URL
	}
	bases, err := mirrorsOf(ctx, c, url)
	if err != nil {
		return c, err
	}
	var contentBases []string
	if content == url {
		content = ""
	}
	if content != "" {
		if contentBases, err = mirrorsOf(ctx, c, content); err != nil {
			return c, err
		}
	}
	c.URLs, c.ContentURLs = bases, contentBases
	return c, nil
}

func fromMetalink(ctx context.Context, c fetch.Config, metalink, content string) (fetch.Config, error) {
	base, summary, err := followMetalink(ctx, c, metalink)
	if err != nil {
		return c, err
	}
	var contentBases []string
	if content != "" {
		if contentBases, err = mirrorsOf(ctx, c, content); err != nil {
			return c, err
		}
	}
	c.URLs, c.ContentURLs, c.Known = []string{base}, contentBases, map[string][]byte{summaryName: summary}
	return c, nil
}

// secure fills in what a remote's configuration says of servers and of what they are shown.
func (l *List) secure(c *fetch.Config, name string) error {
	for key, place := range map[string]*string{
		"proxy": &c.Proxy, "tls-ca-path": &c.CAFile, "tls-client-cert-path": &c.CertFile, "tls-client-key-path": &c.KeyFile,
	} {
		value, _, err := l.Option(name, key)
		if err != nil {
			return err
		}
		*place = value
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		return fmt.Errorf("Remote %q must specify both %q and %q", name, "tls-client-cert-path", "tls-client-key-path")
	}
	var err error
	if c.Insecure, err = l.boolean(name, "tls-permissive", false); err != nil {
		return err
	}
	http2, err := l.boolean(name, "http2", true)
	if err != nil {
		return err
	}
	c.NoHTTP2 = !http2
	cookies, err := Cookies(l.repo, name)
	for _, cookie := range cookies {
		c.Cookies = append(c.Cookies, cookie.shown())
	}
	return err
}

// boolean is the value of a remote's key as a boolean: what the own remote lacks, the parent's of the
// same name may have.
func (l *List) boolean(name, key string, unset bool) (bool, error) {
	for at := l; at != nil; at = at.parent {
		if r := at.own[name]; r != nil {
			if _, ok := r.Get(key); ok {
				return r.Bool(key, unset)
			}
		}
	}
	return unset, nil
}

// shown is a cookie for the transport. One that never expires has the time 0 in the file.
func (c Cookie) shown() fetch.Cookie {
	got := fetch.Cookie{
		Domain: strings.TrimPrefix(c.Domain, httpOnly), Subdomains: c.Subdomains,
		Path: c.Path, Secure: c.Secure == "TRUE", Name: c.Name, Value: c.Value,
	}
	if c.Expires.Unix() != 0 {
		got.Expires = c.Expires
	}
	return got
}

// httpOnly stands before the domain of a cookie that is not for scripts in pages.
const httpOnly = "#HttpOnly_"
