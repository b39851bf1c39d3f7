package fetch

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxRedirects is how often a server may send a request elsewhere.
const maxRedirects = 20

// secrets are the fields of a header that only the server gets that was asked first.
var secrets = []string{"Authorization", "Cookie", "Proxy-Authorization"}

// contentRequest marks the context of requests for content.
type contentRequest struct{}

// checkRedirect decides whether a request may go elsewhere. From https to http only content may,
// which is checked by its name. No secret goes along to another server: the same host with another
// scheme or port is one, too.
func checkRedirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errRedirects
	}
	r.Header.Del("Referer")
	if last := via[len(via)-1]; last.URL.Scheme == "https" && r.URL.Scheme != "https" {
		if content, _ := r.Context().Value(contentRequest{}).(bool); !content {
			return fmt.Errorf("%w to %s", errDowngrade, r.URL.Redacted())
		}
	}
	elsewhere := func(q *http.Request) bool { return !sameServer(q.URL, via[0].URL) }
	if elsewhere(r) || slices.ContainsFunc(via, elsewhere) { // whoever was between may have chosen the path
		for _, name := range secrets {
			r.Header.Del(name)
		}
	}
	return nil
}

func sameServer(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// RoundTrip asks one server, with the cookies that are for it. Redirects come through here, too: what
// is in their body is read here, because net/http would wait for it without end.
func (w *web) RoundTrip(r *http.Request) (*http.Response, error) {
	if line := cookieLine(w.cookies, r.URL, time.Now()); line != "" {
		r = r.Clone(r.Context())
		r.Header.Add("Cookie", line)
	}
	answer, err := w.transport.RoundTrip(r)
	if err == nil && answer.StatusCode/100 == 3 && answer.Header.Get("Location") != "" {
		w.moved.Add(drain(answer.Body))
		answer.Body = http.NoBody
	}
	return answer, err
}
