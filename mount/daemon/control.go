package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	controlTime = 2 * time.Second // either side of a control connection waits
	retryTime   = 100 * time.Millisecond
)

// socket listens for whoever wants to know about this process.
type socket struct {
	net.Listener
	path string
}

// socketPath is where a server's socket is.
func socketPath(dir string, pid int) string { return filepath.Join(dir, fmt.Sprintf("%d.sock", pid)) }

// listen opens the control socket of this process. It gets its name when it can
// answer: one that refuses is taken for that of a dead server.
func listen() (*socket, error) {
	dir, err := runtimeDir()
	if err != nil {
		return nil, err
	}
	path := socketPath(dir, os.Getpid())
	early := path + ".new"
	if err := os.Remove(early); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: early, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	listener.SetUnlinkOnClose(false)
	if err := os.Rename(early, path); err != nil {
		listener.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return &socket{listener, path}, nil
}

// Close removes the socket.
func (s *socket) Close() error { return errors.Join(s.Listener.Close(), os.Remove(s.path)) }

// answer sends what status returns to whoever connects, as JSON, until the
// listener is closed.
func answer(listener net.Listener, status func() Status) {
	for {
		conn, err := listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			time.Sleep(retryTime) // out of descriptors, perhaps
			continue
		}
		if conn.SetDeadline(time.Now().Add(controlTime)) == nil {
			json.NewEncoder(conn).Encode(status()) // a reader that left does not matter
		}
		conn.Close()
	}
}

// servers asks every server of this user for its status. Those that do not
// answer in time are left out.
func servers() ([]Status, error) {
	dir, err := runtimeDir()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("runtime directory: %w", err)
	}
	list := []Status{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".sock") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		s, err := ask(path)
		switch {
		case err == nil:
			list = append(list, s)
		case errors.Is(err, unix.ECONNREFUSED):
			os.Remove(path) // its server is gone
		}
	}
	return list, nil
}

func ask(path string) (s Status, err error) {
	conn, err := net.DialTimeout("unix", path, controlTime)
	if err != nil {
		return s, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(controlTime)); err != nil {
		return s, err
	}
	return s, json.NewDecoder(conn).Decode(&s)
}
