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

// controlTime is how long either side of a control connection waits.
const controlTime = 2 * time.Second

// listen opens the control socket of this process.
func listen() (net.Listener, error) {
	dir, err := runtimeDir()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, fmt.Sprintf("%d.sock", os.Getpid()))
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return listener, nil
}

// answer sends what status returns to whoever connects, as JSON, until the
// listener is closed.
func answer(listener net.Listener, status func() Status) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
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
