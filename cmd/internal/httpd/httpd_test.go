package httpd

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// site makes a directory of files, some of which are nobody's business.
func site(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "www")
	for _, d := range []string{"dir", "index", "repo/objects", "closed"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range map[string]os.FileMode{"dir/a&b": 0o644, "index/index.html": 0o644, "repo/objects/x": 0o644, "private": 0o640} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("0123456789"), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "closed"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "repo/objects/x"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// ask sends a request for a path, with fields "Name: value" in its header.
func ask(t *testing.T, s *Server, path string, fields ...string) (status int, body string, err error) {
	t.Helper()
	front := httptest.NewServer(s)
	defer front.Close()
	r, err := http.NewRequest(http.MethodGet, front.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(data), err
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	s := New(Config{Root: site(t)})
	for _, c := range []struct {
		path   string
		fields []string
		status int
		body   string
	}{
		{"/repo/objects/x", nil, 200, "0123456789"},
		{"//repo/./dir/../objects/x", nil, 200, "0123456789"},
		{"/link", nil, 200, "0123456789"},
		{"/index", nil, 200, "0123456789"}, // by way of /index/
		{"/dir/a%26b", []string{"Range: bytes=3-5"}, 206, "345"},
		{"/dir/", nil, 200, "<a href=\"a&amp;b\">a&amp;b</a>"},
		{"/none", nil, 404, ""},
		{"/private", nil, 403, ""},
		{"/closed/", nil, 403, ""},
		{"/%2e%2e/%2e%2e/etc/passwd", nil, 404, ""},
	} {
		status, body, err := ask(t, s, c.path, c.fields...)
		if err != nil || status != c.status || !strings.Contains(body, c.body) || c.body == "" && body != "" {
			t.Errorf("%s: %d, %q, %v", c.path, status, body, err)
		}
	}
}

func TestWhatRequestsMustHave(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := New(Config{
		Root: site(t), BasicAuth: true, Log: NewLog(&log),
		Cookies: []Pair{{"a", "1"}}, Headers: []Pair{{"X-Y", "z"}},
	})
	const auth = "Authorization: Basic Zm9vdXNlcjpiYXJwdw=="
	for _, c := range []struct {
		status int
		fields []string
	}{
		{401, nil},
		{401, []string{"Authorization: Basic Zm9vdXNlcjo="}},
		{403, []string{auth}},
		{403, []string{auth, "Cookie: a=1"}},
		{403, []string{auth, "Cookie: a=2; b=1", "X-Y: z"}},
		{403, []string{auth, "Cookie: a=1", "X-Y: zz"}},
		{200, []string{auth, "Cookie: b=2; a=1", "X-Y: z"}},
	} {
		if status, _, err := ask(t, s, "/link", c.fields...); err != nil || status != c.status {
			t.Errorf("%q: %d, %v, want %d", c.fields, status, err, c.status)
		}
	}
	for _, want := range []string{"serving /link", "  status: OK (200)", "  status: Forbidden (403)", "Expected cookie not found a=1", "Expected header not found X-Y", "Expected header X-Y: z but found zz"} {
		if !strings.Contains(log.String(), " - "+want+"\n") {
			t.Errorf("the log lacks %q:\n%s", want, &log)
		}
	}
}

func TestHalves(t *testing.T) {
	t.Parallel()
	s := New(Config{Root: site(t), HalfObjects: true})
	if _, body, err := ask(t, s, "/repo/objects/x"); err == nil || body != "01234" {
		t.Errorf("half a file: %q, %v", body, err)
	}
	if status, body, err := ask(t, s, "/repo/objects/x", "Range: bytes=5-"); err != nil || status != 206 || body != "56789" {
		t.Errorf("the other half: %d, %q, %v", status, body, err)
	}
	if _, body, err := ask(t, s, "/link"); err != nil || body != "0123456789" {
		t.Errorf("no object: %q, %v", body, err)
	}
}

func TestMisfortune(t *testing.T) {
	t.Parallel()
	s := New(Config{Root: site(t), Errors500: Chance{Percent: 100, Max: 3}, Errors408: Chance{Percent: 100, Max: 2}})
	count := map[int]int{}
	for range 10 {
		count[s.misfortune()]++
	}
	if count[500] != 3 || count[408] != 2 || count[0] != 5 {
		t.Errorf("10 requests: %v", count)
	}
}

// TestAutoExit ends the server with the directory, not with a file in it.
func TestAutoExit(t *testing.T) {
	t.Parallel()
	s := New(Config{Root: site(t), AutoExit: true})
	s.lookEvery = time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.Background(), l) }()
	os.Remove(filepath.Join(s.Root, "private"))
	select {
	case err := <-done:
		t.Fatalf("ended with a file in the directory: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	if err := os.RemoveAll(s.Root); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
