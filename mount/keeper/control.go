package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// On the control socket whoever may enter the runtime directory asks:
const (
	// kindAsk: about the mount; answered by the server, or by the keeper as long
	// as there is none.
	kindAskKeeper = "ask-keeper" // the same, of the keeper alone
	kindAnswer    = "answer"     // with the status
	// kindUpgrade asks for the program whose file comes along; it is answered as
	// a start is, by kindReady or kindFailed.
	kindUpgrade = "upgrade"
)

const (
	askTime     = 2 * time.Second  // for the other side of a control connection
	upgradeTime = 90 * time.Second // for a new server
	backlog     = 64               // connections that wait to be accepted
	suffix      = ".sock"
)

// socketPath is where the keeper with a process number listens.
func socketPath(dir string, pid int) string { return filepath.Join(dir, fmt.Sprint(pid, suffix)) }

// listen opens the control socket of this process. It gets its name when it can
// answer: one that refuses is taken for that of a dead keeper.
func listen() (listener *os.File, path string, err error) {
	dir, err := RuntimeDir()
	if err != nil {
		return nil, "", err
	}
	path = socketPath(dir, os.Getpid())
	early := path + ".new"
	if err := os.Remove(early); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, "", fmt.Errorf("control socket: %w", err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, "", fmt.Errorf("control socket: %w", err)
	}
	listener = os.NewFile(uintptr(fd), "control")
	err = unix.Bind(fd, &unix.SockaddrUnix{Name: early})
	if err == nil {
		err = unix.Listen(fd, backlog)
	}
	if err == nil {
		err = os.Rename(early, path)
	}
	if err != nil {
		listener.Close()
		return nil, "", fmt.Errorf("control socket: %w", err)
	}
	return listener, path, nil
}

// accept takes the next connection, of this user's or root's: who is let in may
// have any program run.
func accept(listener *os.File) (*channel, error) {
	fd, _, err := unix.Accept4(int(listener.Fd()), unix.SOCK_CLOEXEC)
	if err != nil {
		return nil, err
	}
	peer, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err == nil && peer.Uid != 0 && int(peer.Uid) != os.Geteuid() {
		err = unix.EPERM
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	limit(fd, askTime)
	return newEnd(fd), nil
}

// limit bounds how long a call waits for the other side.
func limit(fd int, patience time.Duration) {
	t := unix.NsecToTimeval(int64(patience))
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &t)
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &t)
}

// answer tells the status to who asked; that one may have left.
func (c *channel) answer(status any) {
	if data, err := json.Marshal(status); err == nil {
		c.send(message{Kind: kindAnswer, Status: data})
	}
}

// Ask collects the status of every mount of this user's. Those that do not
// answer in time are left out.
func Ask() ([]json.RawMessage, error) {
	dir, err := RuntimeDir()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("runtime directory: %w", err)
	}
	var list []json.RawMessage
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), suffix) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		m, err := request(path, message{Kind: kindAsk}, askTime)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, unix.EPIPE): // a keeper that becomes another program
			m, err = request(path, message{Kind: kindAsk}, askTime)
		case errors.Is(err, unix.EAGAIN): // a server that hangs
			m, err = request(path, message{Kind: kindAskKeeper}, askTime)
		}
		switch {
		case err == nil && m.Kind == kindAnswer:
			list = append(list, m.Status)
		case errors.Is(err, unix.ECONNREFUSED):
			os.Remove(path) // its keeper is gone
		}
	}
	return list, nil
}

// Alive reports whether a keeper, or a server that it left behind, still listens.
func Alive(keeper int) bool {
	dir, err := RuntimeDir()
	if err != nil {
		return false
	}
	ch, err := dial(socketPath(dir, keeper), askTime)
	if err == nil {
		ch.close()
	}
	return err == nil
}

// Upgrade has a mount's server replaced by the program in a file, and returns
// when that answers, or with the reason why the old one goes on.
func Upgrade(keeper int, program *os.File) error {
	dir, err := RuntimeDir()
	if err != nil {
		return err
	}
	m, err := request(socketPath(dir, keeper), message{Kind: kindUpgrade, files: []*os.File{program}}, upgradeTime)
	switch {
	case errors.Is(err, unix.EAGAIN):
		return fmt.Errorf("upgrade: no answer within %v", upgradeTime)
	case errors.Is(err, io.EOF):
		return errors.New("upgrade: the connection was closed")
	case err != nil:
		return fmt.Errorf("upgrade: %w", err)
	case m.Kind != kindReady:
		return m.failure()
	}
	return nil
}

// request sends a message to a control socket, and returns the answer.
func request(path string, m message, patience time.Duration) (message, error) {
	ch, err := dial(path, patience)
	if err != nil {
		return message{}, err
	}
	defer ch.close()
	if err := ch.send(m); err != nil {
		return message{}, err
	}
	return ch.receive()
}

func dial(path string, patience time.Duration) (*channel, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	limit(fd, patience)
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("connect", err)
	}
	return newEnd(fd), nil
}
