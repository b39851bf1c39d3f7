package fetch

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
)

// proxyFor returns what says which proxy a request takes: the configured one, else that of the
// environment, as libcurl reads it: http_proxy in small letters alone (a server's scripts have a
// HTTP_PROXY that strangers set), the others in both.
func proxyFor(configured string) (func(*http.Request) (*url.URL, error), error) {
	if configured != "" {
		u, err := parseProxy(configured)
		return http.ProxyURL(u), err
	}
	ofScheme := map[string]*url.URL{}
	for scheme, names := range map[string][]string{
		"http":  {"http_proxy", "all_proxy", "ALL_PROXY"},
		"https": {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"},
	} {
		text := environment(names...)
		if text == "" {
			continue
		}
		u, err := parseProxy(text)
		if err != nil {
			return nil, err
		}
		ofScheme[scheme] = u
	}
	direct := parseDirect(environment("no_proxy", "NO_PROXY"))
	return func(r *http.Request) (*url.URL, error) {
		if u := ofScheme[r.URL.Scheme]; u != nil && !direct.has(r.URL.Hostname()) {
			return u, nil
		}
		return nil, nil
	}, nil
}

func environment(names ...string) string {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return ""
}

// proxyPort is where libcurl looks for a proxy that has no port.
const proxyPort = "1080"

func parseProxy(text string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("proxy %s: neither a URL nor HOST:PORT", Shown(text))
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return nil, fmt.Errorf("proxy %s: no kind of proxy that is known: %s", Shown(text), u.Scheme)
	}
	if u.Port() == "" && u.Scheme != "https" {
		u.Host += ":" + proxyPort
	}
	return u, nil
}

// direct is the hosts that need no proxy.
type direct struct {
	all      bool
	suffixes []string
	nets     []netip.Prefix
}

// parseDirect reads a list of names, addresses and networks, between commas or blanks.
func parseDirect(text string) (d direct) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		word = strings.ToLower(strings.Trim(word, "[]"))
		if word == "*" {
			d.all = true
		} else if prefix, err := netip.ParsePrefix(word); err == nil {
			d.nets = append(d.nets, prefix)
		} else if name := strings.Trim(word, "."); name != "" {
			d.suffixes = append(d.suffixes, name)
		}
	}
	return d
}

func (d direct) has(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		for _, prefix := range d.nets {
			if prefix.Contains(addr) {
				return true
			}
		}
	}
	for _, suffix := range d.suffixes {
		if host == suffix || strings.HasSuffix(host, "."+suffix) {
			return true
		}
	}
	return d.all
}
