package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestStallBesideFiles: what comes with a refusal or a redirect is not waited for.
func TestStallBesideFiles(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	url := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusNotFound
		switch r.URL.Path {
		case "/moved/x":
			w.Header().Set("Location", "/file")
			status = http.StatusFound
		case "/file":
			w.Write([]byte("text"))
			return
		}
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(status)
		w.Write([]byte("x"))
		w.(http.Flusher).Flush()
		<-stop
	})
	t.Cleanup(func() { close(stop) })
	for path, want := range map[string]string{"/none": "", "/moved": "text"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			got, err := get(t, Config{URLs: []string{url + path}})
			if got != want || errors.Is(err, fs.ErrNotExist) != (want == "") {
				t.Errorf("%q, %v", got, err)
			}
			if took := time.Since(began); took > 10*drainTime {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestAlwaysAnother: a server whose file is another one at each request is asked as often as retries say.
func TestAlwaysAnother(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	url := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, asked.Add(1)))
		w.Header().Set("Content-Length", "1000000")
		w.Write(make([]byte, enough+5000))
	})
	c := client(t, Config{URLs: []string{url}, Retries: 3})
	if _, err := c.Get(t.Context(), File{Path: "x"}, 1<<20); err == nil || !strings.Contains(err.Error(), "[18]") {
		t.Error(err)
	}
	if n := asked.Load(); n > 8 {
		t.Errorf("it was asked %d times", n)
	}
}

// TestSecretsStay: no other server gets what the first one is shown, nor does the first one at
// another's bidding.
func TestSecretsStay(t *testing.T) {
	t.Parallel()
	type server struct{ scheme, host string }
	for _, way := range [][]server{
		{{"http", "a:81"}, {"http", "a:82"}},
		{{"http", "a"}, {"https", "a"}},
		{{"https", "a"}, {"http", "a"}},
		{{"http", "a"}, {"http", "b.a"}},
		{{"http", "a"}, {"http", "b"}, {"http", "a"}},
		{{"http", "a"}, {"http", "A:80"}},
		{{"https", "a:443"}, {"https", "a"}},
	} {
		requests := make([]*http.Request, len(way))
		for i, s := range way {
			requests[i] = httptest.NewRequest(http.MethodGet, s.scheme+"://"+s.host+"/", nil).WithContext(t.Context())
		}
		last := requests[len(way)-1]
		for _, name := range secrets {
			last.Header.Set(name, "secret")
		}
		err := checkRedirect(last, requests[:len(way)-1])
		same := len(way) == 2 && sameServer(last.URL, requests[0].URL)
		if kept := len(last.Header) > 0; err == nil && kept != same {
			t.Errorf("%v: %v", way, last.Header)
		}
	}
	var got http.Header
	other := serveFunc(t, func(w http.ResponseWriter, r *http.Request) { got = r.Header })
	url := serveFunc(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other+"/y", http.StatusFound) })
	headers := []Header{{"Authorization", "Bearer b"}, {"Cookie", "c=d"}, {"Proxy-Authorization", "e"}, {"X-Other", "f"}}
	if _, err := get(t, Config{URLs: []string{url}, Headers: headers}); err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		if there := got.Get(h.Name) != ""; there != (h.Name == "X-Other") {
			t.Errorf("the other port was shown %s %q", h.Name, got.Get(h.Name))
		}
	}
}

func TestBadHeaders(t *testing.T) {
	t.Parallel()
	for _, h := range []Header{{"X", "a\r\nY: z"}, {"X Y", "a"}, {"", "v"}, {"Xä", "v"}, {"X", "\x7f"}, {"X:", ""}} {
		if _, err := New(Config{URLs: []string{"http://h"}, Headers: []Header{h}}); err == nil || !strings.HasPrefix(err.Error(), "HTTP header ") {
			t.Errorf("%q: %v", h, err)
		}
	}
	if _, err := New(Config{URLs: []string{"http://h"}, UserAgent: "a\nb"}); err == nil {
		t.Error("a user agent of two lines")
	}
	if _, err := New(Config{URLs: []string{"http://h"}, Headers: []Header{{"x-Y_1", "ä\tb"}, {"X", ""}}}); err != nil {
		t.Error(err)
	}
}

// TestBadRequest: what can't be sent is not tried again.
func TestBadRequest(t *testing.T) {
	t.Parallel()
	url := serveFunc(t, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") })
	cl := client(t, Config{URLs: []string{url}, Retries: 3, Cookies: []Cookie{{Domain: "127.0.0.1", Path: "/", Name: "a", Value: "b\nc"}}})
	cl.pause = func(context.Context, int) error { t.Error("it is tried again"); return nil }
	_, err := cl.Get(t.Context(), File{Path: "x"}, 10)
	var hint interface{ Hint() string }
	if !errors.As(err, &hint) || !strings.Contains(hint.Hint(), "invalid") {
		t.Error(err)
	}
}
