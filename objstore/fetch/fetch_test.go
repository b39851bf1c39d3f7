package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// pattern is n bytes, each place of which looks different.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 ^ i>>8)
	}
	return b
}

// serveFunc starts a server; its URL is also the second result.
func serveFunc(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// client is a client that does not wait before it tries again.
func client(t *testing.T, c Config) *Client {
	t.Helper()
	got, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	got.pause = func(ctx context.Context, _ int) error { return context.Cause(ctx) }
	t.Cleanup(got.Close)
	return got
}

func TestGet(t *testing.T) {
	t.Parallel()
	data := pattern(100_000)
	url := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/repo/a b%+#?":
			w.Write(data)
		default:
			http.NotFound(w, r)
		}
	})
	c := client(t, Config{URLs: []string{url + "/repo/"}})
	got, err := c.Get(t.Context(), File{Path: "a b%+#?"}, 100_000)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if c.Transferred() != 100_000 {
		t.Errorf("%d bytes transferred", c.Transferred())
	}
	_, err = c.Get(t.Context(), File{Path: "none"}, 10)
	if want := "While fetching " + url + "/repo/none: Server returned HTTP 404"; !errors.Is(err, fs.ErrNotExist) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	for _, path := range []string{"", ".", "..", "../a", "/a", "a/", "a/../../b", "a//b"} {
		if _, err := c.Get(t.Context(), File{Path: path}, 10); err == nil {
			t.Errorf("%q: no error", path)
		}
	}
}

// TestLimit has servers that claim a length and ones that don't.
func TestLimit(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	url := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/honest" {
			w.Header().Set("Content-Length", "1001")
		}
		for range 1001 {
			n, _ := w.Write([]byte("x"))
			sent.Add(int64(n))
		}
	})
	c := client(t, Config{URLs: []string{url}, Retries: 3})
	for _, path := range []string{"honest", "endless"} {
		_, err := c.Get(t.Context(), File{Path: path}, 1000)
		if want := fmt.Sprintf("URI %s/%s exceeded maximum size of 1000 bytes", url, path); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := c.Get(t.Context(), File{Path: path}, 1001); err != nil {
			t.Error(err)
		}
	}
}

// TestResume breaks transfers off at several places, of servers that go on in the middle and of such that don't.
func TestResume(t *testing.T) {
	t.Parallel()
	data := pattern(300_000)
	for _, ranges := range []bool{true, false} {
		for _, content := range []bool{true, false} {
			t.Run(fmt.Sprintf("ranges=%v content=%v", ranges, content), func(t *testing.T) {
				t.Parallel()
				var asked atomic.Int64
				url := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
					round := asked.Add(1)
					w.Header().Set("ETag", `"1"`)
					if !ranges {
						r.Header.Del("Range")
					}
					http.ServeContent(&broken{ResponseWriter: w, left: round * 70_000}, r, "", time.Time{}, bytes.NewReader(data))
				})
				c := client(t, Config{URLs: []string{url}, Retries: 5})
				got, err := c.Get(t.Context(), File{Path: "x", Content: content}, 1<<20)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("got %d bytes, %v", len(got), err)
				}
				if n := asked.Load(); n < 2 {
					t.Errorf("%d requests", n)
				}
			})
		}
	}
}

// broken is a server that goes away after so many bytes.
type broken struct {
	http.ResponseWriter
	left int64
}

func (b *broken) Write(p []byte) (int, error) {
	if int64(len(p)) >= b.left {
		_, _ = b.ResponseWriter.Write(p[:b.left])
		b.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	b.left -= int64(len(p))
	return b.ResponseWriter.Write(p)
}

// TestResumeAtTheEnds has transfers break off before the first byte and after the last one.
func TestResumeAtTheEnds(t *testing.T) {
	t.Parallel()
	for _, came := range []int64{0, 1} {
		var ranges []string
		url := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
			ranges = append(ranges, r.Header.Get("Range"))
			if len(ranges) == 1 {
				io.WriteString(w, "x"[:came])
				w.(http.Flusher).Flush() // no length is told
				panic(http.ErrAbortHandler)
			}
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader("x"))
		})
		c := client(t, Config{URLs: []string{url}, Retries: 1})
		got, err := c.Get(t.Context(), File{Path: "x", Content: true}, 10)
		if err != nil || string(got) != "x" || ranges[1] != fmt.Sprintf("bytes=%d-", came) {
			t.Errorf("%d bytes had come: %q, %v, %q", came, got, err, ranges)
		}
	}
}

// TestChangedMeanwhile does not join two files.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	url := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		round := asked.Add(1)
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, round))
		body := strings.Repeat(fmt.Sprint(round), 1000)
		if round == 1 {
			w.Header().Set("Content-Length", "1000")
			(&broken{w, 500}).Write([]byte(body))
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(body))
	})
	c := client(t, Config{URLs: []string{url}, Retries: 5})
	got, err := c.Get(t.Context(), File{Path: "summary"}, 1<<20)
	if want := strings.Repeat("3", 1000); err != nil || string(got) != want {
		t.Errorf("got %.20q, %v", got, err)
	}
	asked.Store(0)
	body, err := c.Open(t.Context(), File{Path: "summary"}, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, err := io.ReadAll(body); err == nil {
		t.Errorf("got %.20q of a file that changed", got)
	}
}
