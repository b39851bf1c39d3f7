package tests

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// webRepo serves a repository over HTTP, counts, and can be made to lie.
type webRepo struct {
	url string

	files   http.Handler
	address string
	server  *http.Server

	mu       sync.Mutex
	requests map[string]int // by path below the repository
	bytes    int64
	forged   map[string]func(whole bool) []byte // what is served instead, by path
}

func serveRepo(t testing.TB, repo string) *webRepo {
	t.Helper()
	w := &webRepo{files: http.FileServer(http.Dir(repo)), address: "127.0.0.1:0", requests: map[string]int{}, forged: map[string]func(bool) []byte{}}
	w.start(t)
	t.Cleanup(w.stop)
	return w
}

func (w *webRepo) start(t testing.TB) {
	t.Helper()
	listener, err := net.Listen("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	w.address = listener.Addr().String()
	w.url = "http://" + w.address
	w.server = &http.Server{Handler: w}
	go w.server.Serve(listener)
}

func (w *webRepo) stop() { w.server.Close() }

func (w *webRepo) ServeHTTP(to http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	w.mu.Lock()
	w.requests[path]++
	forged := w.forged[path]
	w.mu.Unlock()
	counted := &countedAnswer{to, w}
	if forged == nil {
		w.files.ServeHTTP(counted, r)
		return
	}
	http.ServeContent(counted, r, path, time.Time{}, strings.NewReader(string(forged(r.Header.Get("Range") == ""))))
}

type countedAnswer struct {
	http.ResponseWriter
	w *webRepo
}

func (c *countedAnswer) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.w.mu.Lock()
	c.w.bytes += int64(n)
	c.w.mu.Unlock()
	return n, err
}

// served returns the bytes and requests since the last call.
func (w *webRepo) served() (bytes int64, requests map[string]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	bytes, requests = w.bytes, w.requests
	w.bytes, w.requests = 0, map[string]int{}
	return bytes, requests
}

// forge has something else served in the place of a file; nil ends that.
func (w *webRepo) forge(path string, data func(whole bool) []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if delete(w.forged, path); data != nil {
		w.forged[path] = data
	}
}

// matching are the requests for files whose path ends so.
func matching(requests map[string]int, suffix string) (n int) {
	for path, count := range requests {
		if strings.HasSuffix(path, suffix) {
			n += count
		}
	}
	return n
}

// servedContent is where an archive repository has the content of a file, below it.
func servedContent(t testing.TB, repo, rev, name string) string {
	t.Helper()
	_, sum := objectOf(t, repo, rev, name)
	return strings.TrimPrefix(objectPath(repo, sum, "filez"), repo+"/")
}

// fileSizes is the size of all files of a repository.
func fileSizes(t testing.TB, repo string) int64 {
	t.Helper()
	var total int64
	for _, e := range snapshot(t, filepath.Join(repo, "objects")) {
		if e.mode&unix.S_IFMT == unix.S_IFREG {
			total += e.size
		}
	}
	return total
}

// within fails the test when something takes too long: it waits for a server that is gone.
func within(t testing.TB, limit time.Duration, what string, do func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	done := make(chan struct{})
	go func() { do(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		t.Fatalf("%s takes more than %v", what, limit)
	}
}
