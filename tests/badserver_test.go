package tests

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// badServer serves a repository, and has a mischief meddle with its answers.
type badServer struct {
	*httptest.Server
	repo  string
	wrong mischief

	mu    sync.Mutex
	asked map[string]int // how often, by path
}

// mischief answers a request in the server's place, or does not.
type mischief func(w http.ResponseWriter, a asked) (answered bool)

// asked is a request for a file that there is.
type asked struct {
	*http.Request
	name  string // of the file in the repository
	data  []byte
	round int // 1 is the first time
}

// serveBadly starts a server.
func serveBadly(t testing.TB, repo string, wrong mischief) *badServer {
	t.Helper()
	s := &badServer{repo: repo, wrong: wrong, asked: map[string]int{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *badServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/elsewhere"), "/")
	s.mu.Lock()
	s.asked[name]++
	round := s.asked[name]
	s.mu.Unlock()
	data, err := os.ReadFile(filepath.Join(s.repo, name))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if s.wrong == nil || !s.wrong(w, asked{r, name, data, round}) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// objects is how many objects were asked for.
func (s *badServer) objects() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.asked {
		if strings.HasPrefix(name, "objects/") && !strings.HasSuffix(name, ".commitmeta") {
			n++
		}
	}
	return n
}

// forget counts anew.
func (s *badServer) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.asked)
}

// of meddles with the files of one ending alone.
func of(ending string, wrong mischief) mischief {
	return func(w http.ResponseWriter, a asked) bool { return strings.HasSuffix(a.name, ending) && wrong(w, a) }
}

// once meddles with each file the first time that it is asked for.
func once(wrong mischief) mischief {
	return func(w http.ResponseWriter, a asked) bool { return a.round == 1 && wrong(w, a) }
}

// status answers with nothing else.
func status(code int) mischief {
	return func(w http.ResponseWriter, _ asked) bool { w.WriteHeader(code); return true }
}

// send answers with other bytes.
func send(change func(asked) []byte) mischief {
	return func(w http.ResponseWriter, a asked) bool { _, _ = w.Write(change(a)); return true }
}

// cutOff announces the file and goes away in its middle.
func cutOff(w http.ResponseWriter, a asked) bool {
	if a.Header.Get("Range") != "" {
		return false
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(a.data)))
	_, _ = w.Write(a.data[:len(a.data)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// hangUp goes away without a word.
func hangUp(http.ResponseWriter, asked) bool { panic(http.ErrAbortHandler) }

// noRanges sends the whole file whatever is asked for.
func noRanges(w http.ResponseWriter, a asked) bool {
	a.Header.Del("Range")
	return cutOff(w, a)
}

// elsewhere sends the client there.
func elsewhere(w http.ResponseWriter, a asked) bool {
	if strings.HasPrefix(a.URL.Path, "/elsewhere/") {
		return false
	}
	http.Redirect(w, a.Request, "/elsewhere/"+a.name, http.StatusFound)
	return true
}

// inCircles sends the client where it comes from.
func inCircles(w http.ResponseWriter, a asked) bool {
	http.Redirect(w, a.Request, a.URL.Path, http.StatusFound)
	return true
}

// drip sends a few bytes at a time, without the length before.
func drip(w http.ResponseWriter, a asked) bool {
	step := len(a.data)/8 + 1
	for data := a.data; len(data) > 0; data = data[min(step, len(data)):] {
		_, _ = w.Write(data[:min(step, len(data))])
		_ = http.NewResponseController(w).Flush()
		time.Sleep(500 * time.Microsecond)
	}
	return true
}

// silent never goes on after half of the file.
func silent(w http.ResponseWriter, a asked) bool {
	w.Header().Set("Content-Length", fmt.Sprint(len(a.data)))
	_, _ = w.Write(a.data[:len(a.data)/2])
	_ = http.NewResponseController(w).Flush()
	<-a.Context().Done()
	return true
}

// otherPart sends the beginning where the rest is asked for, and calls it the rest.
func otherPart(w http.ResponseWriter, a asked) bool {
	if a.Header.Get("Range") == "" {
		return cutOff(w, a)
	}
	rest := len(a.data) - len(a.data)/2
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", len(a.data)/2, len(a.data)-1, len(a.data)))
	w.WriteHeader(http.StatusPartialContent)
	_, _ = w.Write(a.data[:rest])
	return true
}

// tooMuch announces half of the file and sends all of it.
func tooMuch(w http.ResponseWriter, a asked) bool {
	conn, buffer, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	fmt.Fprintf(buffer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(a.data)/2, a.data)
	_ = buffer.Flush()
	return true
}

// endless sends blanks until the client has enough.
func endless(w http.ResponseWriter, _ asked) bool {
	blanks := bytes.Repeat([]byte(" "), 1<<16)
	for {
		if _, err := w.Write(blanks); err != nil {
			return true
		}
	}
}

// These change the bytes of a file.

func bitOff(a asked) []byte {
	data := bytes.Clone(a.data)
	data[len(data)-1] ^= 1
	return data
}

func half(a asked) []byte     { return a.data[:len(a.data)/2] }
func empty(asked) []byte      { return nil }
func extended(a asked) []byte { return append(bytes.Clone(a.data), "more"...) }
func portal(asked) []byte     { return []byte("<html>please log in</html>") }
