package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/mount/daemon"
)

const (
	maxClients = 16                     // at a time; others wait
	clientTime = 30 * time.Second       // that one may take
	retryTime  = 100 * time.Millisecond // after a connection could not be accepted
)

// Serve answers HTTP requests on a new Unix socket with the samples of what list
// returns, until ctx ends. Who may connect is a matter of the umask and of the
// socket's directory. A socket that nobody listens on any more is replaced.
func Serve(ctx context.Context, path string, list func() ([]daemon.Status, error)) error {
	listener, err := listen(path)
	if err != nil {
		return fmt.Errorf("metrics socket %s: %w", daemon.Line(path), err)
	}
	defer context.AfterFunc(ctx, func() { listener.Close() })() // removes the socket
	clients := make(chan struct{}, maxClients)
	for {
		conn, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("metrics socket %s: %w", daemon.Line(path), err)
		case err != nil:
			time.Sleep(retryTime) // out of descriptors, perhaps
			continue
		}
		clients <- struct{}{}
		go func() {
			defer func() { <-clients }()
			defer conn.Close()
			if conn.SetDeadline(time.Now().Add(clientTime)) == nil {
				answer(conn, list)
			}
		}()
	}
}

func listen(path string) (net.Listener, error) {
	listener, err := net.Listen("unix", path)
	if !errors.Is(err, unix.EADDRINUSE) {
		return listener, err
	}
	if info, statErr := os.Lstat(path); statErr != nil || info.Mode().Type() != os.ModeSocket {
		return nil, errors.New("something else is in its place")
	}
	conn, dialErr := net.Dial("unix", path)
	switch {
	case dialErr == nil:
		conn.Close()
		return nil, errors.New("somebody listens there already")
	case !errors.Is(dialErr, unix.ECONNREFUSED):
		return nil, err
	}
	if err := os.Remove(path); err != nil {
		return nil, err
	}
	return net.Listen("unix", path)
}
