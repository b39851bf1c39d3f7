package fetch

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// get gets a file x of at most 1000 bytes.
func get(t *testing.T, c Config) (string, error) {
	t.Helper()
	data, err := client(t, c).Get(t.Context(), File{Path: "x"}, 1000)
	return string(data), err
}

func TestWords(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	url := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		switch kind := strings.Split(r.URL.Path, "/")[1]; kind {
		case "loop":
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		case "tofile":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "short":
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("short"))
		case "nothing":
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
		case "junk":
			conn, _, _ := w.(http.Hijacker).Hijack()
			io.WriteString(conn, "junk\n\n")
			conn.Close()
		default:
			var status int
			fmt.Sscan(kind, &status)
			w.WriteHeader(status)
		}
	})
	host := strings.TrimPrefix(url, "http://")
	for _, c := range []struct {
		url, want string
		asked     int32
		absent    bool
	}{
		{url + "/404", "While fetching " + url + "/404/x: Server returned HTTP 404", 1, true},
		{url + "/403", "While fetching " + url + "/403/x: Server returned HTTP 403", 1, true},
		{url + "/410", "While fetching " + url + "/410/x: Server returned HTTP 410", 1, true},
		{url + "/304", "While fetching " + url + "/304/x: Server returned HTTP 304", 1, false},
		{url + "/500", "While fetching " + url + "/500/x: Server returned HTTP 500", 3, false},
		{url + "/408", "While fetching " + url + "/408/x: Server returned HTTP 408", 3, false},
		{url + "/503", "While fetching " + url + "/503/x: Server returned HTTP 503", 1, false},
		{"http://u:secret@" + host + "/401", "While fetching " + url + "/401/x: Server returned HTTP 401", 1, false},
		{url + "/loop", "While fetching " + url + "/loop/x: [47] Number of redirects hit maximum amount", 21, false},
		{url + "/tofile", "While fetching " + url + "/tofile/x: [1] Unsupported protocol", 1, false},
		{url + "/short", "While fetching " + url + "/short/x: [18] Transferred a partial file", 3, false},
		{url + "/nothing", "While fetching " + url + "/nothing/x: [52] Server returned nothing (no headers, no data)", 3, false},
		{url + "/junk", "While fetching " + url + "/junk/x: [1] Unsupported protocol", 1, false},
		{"http://u:secret@" + closed.Addr().String(), "While fetching http://u@" + closed.Addr().String() + "/x: [7] Couldn't connect to server", 3, false},
		{"http://no.such.host.invalid", "While fetching http://no.such.host.invalid/x: [6] Couldn't resolve host name", 3, false},
		{strings.Replace(url, "http:", "https:", 1), "While fetching " + strings.Replace(url, "http:", "https:", 1) + "/x: [35] SSL connect error", 1, false},
		{"file:///nonexistent", "While fetching file:///nonexistent/x: [37] Couldn't read a file:// file", 1, true},
	} {
		t.Run(c.url, func(t *testing.T) {
			t.Parallel()
			var rounds atomic.Int32
			cl := client(t, Config{URLs: []string{c.url}, Retries: 2})
			cl.pause = func(context.Context, int) error { rounds.Add(1); return nil }
			_, err := cl.Get(t.Context(), File{Path: "x"}, 1000)
			if err == nil || err.Error() != c.want || errors.Is(err, fs.ErrNotExist) != c.absent {
				t.Errorf("got  %v\nwant %v", err, c.want)
			}
			if retried := rounds.Load() > 0; retried != (c.asked == 3) {
				t.Errorf("asked %d times more", rounds.Load())
			}
		})
	}
}

func TestWrongURLs(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"":                       "",
		"ftp://h/r":              "Invalid URI scheme in ftp://h/r",
		"http://":                "",
		"file://elsewhere/path":  "",
		"/a/path":                "",
		"http://u:pw@h:bad/repo": "",
	} {
		_, err := New(Config{URLs: []string{url}})
		if err == nil || want != "" && err.Error() != want || strings.Contains(err.Error(), "pw") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// TestStall gives up on servers that are silent or slow, but not on slow readers.
func TestStall(t *testing.T) {
	t.Parallel()
	url := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/fast"):
			w.Write(make([]byte, 1000))
			return
		case strings.HasPrefix(r.URL.Path, "/head"):
			<-r.Context().Done()
		}
		for r.Context().Err() == nil {
			if strings.HasPrefix(r.URL.Path, "/drops") {
				w.Write([]byte("x"))
			}
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	})
	const stall = 100 * time.Millisecond
	for _, kind := range []string{"head", "body", "drops"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			_, err := get(t, Config{URLs: []string{url + "/" + kind}, Stall: stall})
			if want := "While fetching " + url + "/" + kind + "/x: [28] Timeout was reached"; err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
			if d := time.Since(began); d < stall/2 || d > 20*stall {
				t.Errorf("it took %v", d)
			}
		})
	}
	body, err := client(t, Config{URLs: []string{url + "/fast"}, Stall: stall}).Open(t.Context(), File{Path: "x"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	time.Sleep(2 * stall)
	if data, err := io.ReadAll(body); err != nil || len(data) != 1000 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	url := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(why) })
	_, err := client(t, Config{URLs: []string{url}, Retries: 5}).Get(ctx, File{Path: "x"}, 10)
	if !errors.Is(err, why) && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestConditional(t *testing.T) {
	t.Parallel()
	then := time.Unix(1_700_000_000, 0).UTC()
	for name, v := range map[string]Validators{"etag": {ETag: `"a"`}, "time": {LastModified: then}, "both": {`"a"`, then}} {
		url := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
			if v.ETag != "" {
				w.Header().Set("ETag", v.ETag)
			}
			http.ServeContent(w, r, "", v.LastModified, strings.NewReader("text"))
		})
		c := client(t, Config{URLs: []string{url}})
		data, now, changed, err := c.Refresh(t.Context(), File{Path: "x"}, 10, Validators{ETag: `"older"`})
		if err != nil || string(data) != "text" || !changed || now != v {
			t.Errorf("%s: %q, %v, %v, %v", name, data, now, changed, err)
		}
		data, now, changed, err = c.Refresh(t.Context(), File{Path: "x"}, 10, v)
		if err != nil || data != nil || changed || now != v {
			t.Errorf("%s again: %q, %v, %v, %v", name, data, now, changed, err)
		}
	}
}

// TestWhatServersAreShown looks at what requests have in their header, also behind redirects.
func TestWhatServersAreShown(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]http.Header{}
	record := func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen[r.Host+r.URL.Path] = r.Header
	}
	other := strings.Replace(serveFunc(t, record), "127.0.0.1", "localhost", 1)
	url := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		record(w, r)
		if r.URL.Path == "/repo/x" {
			http.Redirect(w, r, "/repo/y", http.StatusMovedPermanently)
		} else {
			http.Redirect(w, r, other+"/z", http.StatusFound)
		}
	})
	host := strings.TrimPrefix(url, "http://")
	_, err := get(t, Config{
		URLs:  []string{"http://user:pass%40word@" + host + "/repo"},
		Agent: "us/1", UserAgent: "them/2", Headers: []Header{{"x-a", "1"}, {"x-a", "2"}},
		Cookies: []Cookie{
			{Domain: "127.0.0.1", Path: "/", Name: "a", Value: `b"c,d`},
			{Domain: "127.0.0.1", Path: "/repo", Name: "longer", Value: "first"},
			{Domain: "127.0.0.1", Path: "/rep", Name: "other", Value: "path"},
			{Domain: "localhost", Path: "/", Name: "their", Value: "own"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for place, want := range map[string]map[string][]string{
		host + "/repo/x":                       {"Authorization": {"Basic dXNlcjpwYXNzQHdvcmQ="}, "Cookie": {`longer=first; a=b"c,d`}},
		host + "/repo/y":                       {"Authorization": {"Basic dXNlcjpwYXNzQHdvcmQ="}, "Cookie": {`longer=first; a=b"c,d`}},
		other[len("http://"):] + "/z":          {"Authorization": nil, "Cookie": {"their=own"}},
		other[len("http://"):] + "/z" + "none": nil,
	} {
		for name, values := range want {
			if got := seen[place].Values(name); strings.Join(got, "|") != strings.Join(values, "|") {
				t.Errorf("%s: %s: %q, want %q", place, name, got, values)
			}
		}
		if want == nil {
			continue
		}
		h := seen[place]
		if h.Get("User-Agent") != "us/1 them/2" || strings.Join(h.Values("X-A"), "|") != "1|2" || h.Get("Accept-Encoding") != "" || h.Get("Referer") != "" {
			t.Errorf("%s: %v", place, h)
		}
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	full := Cookie{Domain: "example.org", Path: "/", Name: "n", Value: "v"}
	with := func(change func(*Cookie)) Cookie { c := full; change(&c); return c }
	for _, c := range []struct {
		name   string
		cookie Cookie
		url    string
		want   bool
	}{
		{"plain", full, "http://example.org/repo/x", true},
		{"capitals", full, "http://EXAMPLE.org:8080/repo/x", true},
		{"other host", full, "http://example.com/", false},
		{"host below", full, "http://a.example.org/", false},
		{"host below that counts", with(func(c *Cookie) { c.Subdomains = true }), "http://a.example.org/", true},
		{"leading dot", with(func(c *Cookie) { c.Domain, c.Subdomains = ".example.org", true }), "http://example.org/", true},
		{"host that ends alike", with(func(c *Cookie) { c.Subdomains = true }), "http://badexample.org/", false},
		{"address", with(func(c *Cookie) { c.Domain, c.Subdomains = "0.0.1", true }), "http://127.0.0.1/", false},
		{"path", with(func(c *Cookie) { c.Path = "/a" }), "http://example.org/a/b", true},
		{"path with slash", with(func(c *Cookie) { c.Path = "/a/" }), "http://example.org/a/b", true},
		{"path that begins alike", with(func(c *Cookie) { c.Path = "/a" }), "http://example.org/ab", false},
		{"secure over http", with(func(c *Cookie) { c.Secure = true }), "http://example.org/", false},
		{"secure", with(func(c *Cookie) { c.Secure = true }), "https://example.org/", true},
		{"expired", with(func(c *Cookie) { c.Expires = now }), "http://example.org/", false},
		{"not yet", with(func(c *Cookie) { c.Expires = now.Add(1) }), "http://example.org/", true},
	} {
		r, err := http.NewRequest(http.MethodGet, c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := cookieLine([]Cookie{c.cookie}, r.URL, now) == "n=v"; got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestMirrors(t *testing.T) {
	t.Parallel()
	var asked [3]atomic.Int64
	servers := make([]string, 3)
	for i := range servers {
		servers[i] = serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
			asked[i].Add(1)
			if r.URL.Path != fmt.Sprintf("/%d", i) {
				http.NotFound(w, r)
				return
			}
			io.WriteString(w, "ok")
		})
	}
	dead := "http://127.0.0.1:1"
	c := client(t, Config{URLs: []string{dead, servers[0], servers[1], servers[2]}, Retries: 1})
	for i := range servers {
		if data, err := c.Get(t.Context(), File{Path: fmt.Sprint(i)}, 10); err != nil || string(data) != "ok" {
			t.Errorf("%d: %q, %v", i, data, err)
		}
	}
	if c.meta.order[3].address.Host != "127.0.0.1:1" {
		t.Error("the server that does not answer is not the last one")
	}
	if n := asked[0].Load(); n != 3 {
		t.Errorf("the first one was asked %d times", n)
	}
	c = client(t, Config{URLs: []string{servers[0], servers[1]}})
	if _, err := c.Get(t.Context(), File{Path: "2"}, 10); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), servers[1]) {
		t.Errorf("of two servers that lack it: %v", err)
	}
	c = client(t, Config{URLs: []string{servers[0]}, ContentURLs: []string{servers[1]}})
	if data, err := c.Get(t.Context(), File{Path: "1", Content: true}, 10); err != nil || string(data) != "ok" {
		t.Errorf("content: %q, %v", data, err)
	}
}

// TestMirrorsResume goes on at another server where the first one broke off.
func TestMirrorsResume(t *testing.T) {
	t.Parallel()
	data := pattern(200_000)
	var first atomic.Int64
	bad := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		if first.Add(1) > 1 {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Length", "200000")
		(&broken{w, 150_000}).Write(data)
	})
	var ranges atomic.Value
	good := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		ranges.Store(r.Header.Get("Range"))
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(data)))
	})
	c := client(t, Config{URLs: []string{bad, good}, Retries: 2})
	got, err := c.Get(t.Context(), File{Path: "x", Content: true}, 1<<20)
	if err != nil || string(got) != string(data) || ranges.Load() != "bytes=150000-" {
		t.Errorf("%d bytes, range %v, %v", len(got), ranges.Load(), err)
	}
}

// TestParallel holds back what would be too many requests at once.
func TestParallel(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int64
	url := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(2 * time.Millisecond)
		io.WriteString(w, "x")
	})
	c := client(t, Config{URLs: []string{url}, Parallel: 3})
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			if _, err := c.Get(t.Context(), File{Path: "x"}, 10); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := most.Load(); n != 3 {
		t.Errorf("%d at once", n)
	}
}

func TestKnown(t *testing.T) {
	t.Parallel()
	c := client(t, Config{URLs: []string{"http://127.0.0.1:1"}, Known: map[string][]byte{"x": []byte("text")}})
	if data, err := c.Get(t.Context(), File{Path: "x"}, 4); err != nil || string(data) != "text" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := c.Get(t.Context(), File{Path: "x"}, 3); err == nil {
		t.Error("no limit")
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	var proto atomic.Value
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proto.Store(r.Proto)
		io.WriteString(w, "ok")
	}))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		config Config
		proto  string
		err    string
	}{
		{Config{}, "", "[60] SSL peer certificate or SSH remote key was not OK"},
		{Config{Insecure: true}, "HTTP/2.0", ""},
		{Config{CAFile: ca}, "HTTP/2.0", ""},
		{Config{CAFile: ca, NoHTTP2: true}, "HTTP/1.1", ""},
	} {
		proto.Store("")
		c.config.URLs = []string{s.URL}
		data, err := get(t, c.config)
		if (c.err == "") != (err == nil && data == "ok") || err != nil && !strings.HasSuffix(err.Error(), c.err) || proto.Load() != c.proto {
			t.Errorf("%+v: %s, %q, %v", c.config, proto.Load(), data, err)
		}
		var hint interface{ Hint() string }
		if c.err != "" && (!errors.As(err, &hint) || !strings.Contains(hint.Hint(), "x509")) {
			t.Errorf("no reason in %v", err)
		}
	}
	for _, c := range []Config{{CAFile: "/nonexistent"}, {CertFile: ca}, {KeyFile: ca}, {CertFile: ca, KeyFile: ca}, {CertFile: "pkcs11:x", KeyFile: ca}} {
		c.URLs = []string{s.URL}
		if _, err := New(c); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}

// TestClientCertificate shows a server that wants one the certificate that is configured.
func TestClientCertificate(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, len(r.TLS.PeerCertificates))
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	t.Cleanup(s.Close)
	cert, key := writeCertificate(t)
	if data, err := get(t, Config{URLs: []string{s.URL}, Insecure: true, CertFile: cert, KeyFile: key}); err != nil || data != "1" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := get(t, Config{URLs: []string{s.URL}, Insecure: true}); err == nil {
		t.Error("none was needed")
	}
}

// TestDowngrade holds that only content may come over plain HTTP where https was asked for, and that
// no secret goes there.
func TestDowngrade(t *testing.T) {
	t.Parallel()
	var seen atomic.Value
	plain := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		seen.Store(r.Header.Get("Authorization") + r.Header.Get("Cookie"))
		io.WriteString(w, "ok")
	})
	s := httptest.NewTLSServer(http.RedirectHandler(plain, http.StatusFound))
	t.Cleanup(s.Close)
	c := client(t, Config{
		URLs: []string{strings.Replace(s.URL, "https://", "https://u:p@", 1)}, Insecure: true,
		Cookies: []Cookie{{Domain: "127.0.0.1", Path: "/", Name: "a", Value: "b", Secure: true}},
	})
	if _, err := c.Get(t.Context(), File{Path: "summary"}, 10); err == nil || seen.Load() != nil {
		t.Errorf("a file that nothing vouches for: %v", err)
	}
	if data, err := c.Get(t.Context(), File{Path: "objects/x", Content: true}, 10); err != nil || string(data) != "ok" || seen.Load() != "" {
		t.Errorf("content: %q, %v; shown %v", data, err, seen.Load())
	}
}

func FuzzContentRange(f *testing.F) {
	for _, text := range []string{"bytes 0-9/10", "bytes 3-9/10", "bytes 3-9/*", "bytes 9-3/10", "bytes -1-9/10", "bytes 0-9/11", "octets 0-9/10", "bytes 0-9"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, size, ok := parseContentRange(text)
		if ok && (first < 0 || size != -1 && first >= size) {
			t.Errorf("%q: from %d of %d", text, first, size)
		}
	})
}

func TestContentRange(t *testing.T) {
	t.Parallel()
	type part struct {
		first, size int64
		ok          bool
	}
	for text, want := range map[string]part{
		"bytes 3-9/10": {3, 10, true}, "bytes 3-9/*": {3, -1, true},
		"bytes 3-8/10": {}, "bytes 9-3/*": {}, "bytes 3-9": {}, "items 3-9/10": {}, "bytes */10": {},
	} {
		first, size, ok := parseContentRange(text)
		if ok != want.ok || ok && (first != want.first || size != want.size) {
			t.Errorf("%q: %d, %d, %v", text, first, size, ok)
		}
	}
}
