package fetch

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Cookie is what some servers are shown.
type Cookie struct {
	Domain     string
	Subdomains bool // those below the domain count, too
	Path       string
	Secure     bool      // over https alone
	Expires    time.Time // zero is never
	Name       string
	Value      string
}

// cookieLine is the field Cookie of a request at a time, "" without any: those of longer paths first.
func cookieLine(all []Cookie, u *url.URL, now time.Time) string {
	var fit []Cookie
	for _, c := range all {
		if c.fits(u, now) {
			fit = append(fit, c)
		}
	}
	slices.SortStableFunc(fit, func(a, b Cookie) int { return len(b.Path) - len(a.Path) })
	words := make([]string, len(fit))
	for i, c := range fit {
		words[i] = c.Name + "=" + c.Value
	}
	return strings.Join(words, "; ")
}

func (c Cookie) fits(u *url.URL, now time.Time) bool {
	return (!c.Secure || u.Scheme == "https") &&
		(c.Expires.IsZero() || now.Before(c.Expires)) &&
		c.fitsHost(strings.ToLower(u.Hostname())) && c.fitsPath(u.Path)
}

func (c Cookie) fitsHost(host string) bool {
	domain := strings.ToLower(strings.TrimPrefix(c.Domain, "."))
	if host == domain {
		return true
	}
	_, err := netip.ParseAddr(host)
	return c.Subdomains && err != nil && domain != "" && strings.HasSuffix(host, "."+domain)
}

func (c Cookie) fitsPath(path string) bool {
	below := strings.TrimSuffix(c.Path, "/")
	rest, ok := strings.CutPrefix(path, below)
	return ok && (rest == "" || strings.HasPrefix(rest, "/"))
}
