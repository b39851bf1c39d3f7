// Package httpd is a small web server for the tests of those who pull: it serves the files below a
// directory that everyone may read, and misbehaves as it is told.
package httpd

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Config says what is served, and how badly.
type Config struct {
	Root     string // a directory, or a link to one
	AutoExit bool   // end when Root is gone

	HalfObjects bool   // of a path with /objects, half is sent unless a range is asked for
	BasicAuth   bool   // only user foouser with password barpw is let in
	Cookies     []Pair // that a request must have
	Headers     []Pair
	Errors500   Chance
	Errors408   Chance
	Log         *Log
}

// Pair is a name and its value.
type Pair struct{ Key, Value string }

// Chance is how often a request fails for no reason.
type Chance struct {
	Percent int
	Max     int // so often and no more
}

// Server serves a directory.
type Server struct {
	Config
	mu        sync.Mutex
	left500   int
	left408   int
	lookEvery time.Duration
}

// New makes a server.
func New(c Config) *Server {
	return &Server{Config: c, left500: c.Errors500.Max, left408: c.Errors408.Max, lookEvery: 100 * time.Millisecond}
}

// Serve answers requests until the context ends, or the directory is gone when it was asked to look.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	root, err := os.Lstat(s.Root)
	if err != nil {
		return err
	}
	s.Log.Printf("serving at root %s", s.Root)
	server := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	ticker := time.NewTicker(s.lookEvery)
	defer ticker.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), server.Close())
		case <-ticker.C:
			if now, err := os.Lstat(s.Root); s.AutoExit && (err != nil || !os.SameFile(root, now)) {
				s.Log.Printf("root directory removed, exiting")
				return server.Close()
			}
		}
	}
}

// misfortune is the status of a request that fails for no reason, else 0.
func (s *Server) misfortune() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.left500 > 0 && rand.IntN(100) < s.Errors500.Percent:
		s.left500--
		return http.StatusInternalServerError
	case s.left408 > 0 && rand.IntN(100) < s.Errors408.Percent:
		s.left408--
		return http.StatusRequestTimeout
	}
	return 0
}
