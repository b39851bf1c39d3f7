package httpd

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	serverName = "ostree-httpd libsoup/2.74.3"
	realm      = `Basic realm="auth-test"`
	user       = "foouser"
	password   = "barpw"
)

// ServeHTTP answers a request and says so in the log.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", serverName)
	if name, pass, _ := r.BasicAuth(); s.BasicAuth && (name != user || pass != password) {
		w.Header().Set("WWW-Authenticate", realm)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.WriteHeader(http.StatusNotImplemented)
		return
	}
	name := path.Clean("/" + r.URL.Path)
	if strings.HasSuffix(r.URL.Path, "/") && name != "/" {
		name += "/"
	}
	s.Log.Printf("serving %s", name)
	status := s.answer(w, r, name)
	s.Log.Printf("  status: %s (%d)", http.StatusText(status), status)
}

// answer answers a request for a path, and returns the status that the log has.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, name string) int {
	status := http.StatusForbidden
	if s.expected(r) {
		status = s.misfortune()
	}
	if status == 0 {
		status = s.serve(w, r, name)
	}
	if status >= http.StatusBadRequest {
		w.WriteHeader(status)
	}
	return status
}

// expected reports whether a request has what it must have.
func (s *Server) expected(r *http.Request) bool {
	for _, want := range s.Cookies {
		found := false
		for _, c := range r.CookiesNamed(want.Key) {
			found = found || c.Value == want.Value
		}
		if !found {
			s.Log.Printf("Expected cookie not found %s=%s", want.Key, want.Value)
			return false
		}
	}
	for _, want := range s.Headers {
		values := r.Header.Values(want.Key)
		switch {
		case len(values) == 0:
			s.Log.Printf("Expected header not found %s", want.Key)
			return false
		case values[0] != want.Value:
			s.Log.Printf("Expected header %s: %s but found %s", want.Key, want.Value, values[0])
			return false
		}
	}
	return true
}

// serve sends what is at a path. A status of 400 or more is left to be sent.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, name string) int {
	file := filepath.Join(s.Root, name)
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return http.StatusNotFound
	case errors.Is(err, fs.ErrPermission):
		return http.StatusForbidden
	case err != nil:
		return http.StatusInternalServerError
	case !isPublic(info):
		return http.StatusForbidden
	case !info.IsDir():
		return s.serveFile(w, r, name, file)
	case !strings.HasSuffix(name, "/"):
		w.Header().Set("Location", r.URL.EscapedPath()+"/")
		w.WriteHeader(http.StatusMovedPermanently)
		return http.StatusMovedPermanently
	}
	if index := filepath.Join(file, "index.html"); isFile(index) {
		return s.serveFile(w, r, name, index)
	}
	return serveListing(w, name, file)
}

// isPublic reports whether everyone on the machine may read a file.
func isPublic(info fs.FileInfo) bool {
	mode := info.Mode()
	return mode.IsRegular() && mode&0o004 != 0 || mode.IsDir() && mode&0o005 == 0o005
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && isPublic(info)
}

func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, name, file string) int {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return http.StatusInternalServerError
	}
	defer f.Close()
	info, err := f.Stat()
	sum := sha256.New()
	if err == nil {
		_, err = io.Copy(sum, f)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return http.StatusInternalServerError
	}
	w.Header()["Content-Type"] = nil
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sum.Sum(nil)))
	if s.HalfObjects && r.Method == http.MethodGet && r.Header.Get("Range") == "" && strings.Contains(name[1:], "/objects") {
		serveHalf(w, f, info.Size())
	}
	recorded := &recorder{ResponseWriter: w, status: http.StatusOK}
	http.ServeContent(recorded, r, "", info.ModTime(), f)
	return recorded.status
}

// serveHalf announces a file and sends the first half of it.
func serveHalf(w http.ResponseWriter, f *os.File, size int64) {
	w.Header().Set("Content-Length", fmt.Sprint(size))
	w.Header().Set("Connection", "close")
	_, _ = io.CopyN(w, f, size/2)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// recorder keeps the status for the log, where part of a file is as good as the whole.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status = status; status == http.StatusPartialContent {
		r.status = http.StatusOK
	}
	r.ResponseWriter.WriteHeader(status)
}
