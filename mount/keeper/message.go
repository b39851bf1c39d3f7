package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// The kinds of messages.
const (
	// From whoever starts a keeper to the keeper, and from the keeper to a server.
	kindStart = "start" // what is to be mounted, or gone on with
	// From a server to the keeper, and from the keeper to who started it.
	kindReady  = "ready"  // the tree can be used
	kindFailed = "failed" // and the server ends
	// From a server to the keeper.
	kindKeep       = "keep"       // a file, under a name
	kindSession    = "session"    // what the next server has to know
	kindPrepared   = "prepared"   // can take over
	kindRegister   = "register"   // give a file to the kernel; answered
	kindUnregister = "unregister" // take it back
	kindLog        = "log"        // a line for the log
	kindEnd        = "end"        // take the mount away
	// From the keeper to a server.
	kindRegistered = "registered"
	kindGo         = "go"   // the other server has ended
	kindStop       = "stop" // end, after the last answer
	kindAsk        = "ask"  // answer a question about the mount on the descriptor
)

// message is what keeper and server tell each other; each kind uses some of it.
type message struct {
	Kind    string          `json:"kind"`
	Version int             `json:"version,omitempty"` // of the state
	Config  []byte          `json:"config,omitempty"`  // of the mount; the keeper does not look into it
	Session []byte          `json:"session,omitempty"` // what a server needs to go on; nor into this
	Status  json.RawMessage `json:"status,omitempty"`
	Place   *Place          `json:"place,omitempty"`
	Names   []string        `json:"names,omitempty"`  // of the files that come along
	Mortal  bool            `json:"mortal,omitempty"` // the kernel can't send requests again
	Waits   bool            `json:"waits,omitempty"`  // another server still answers
	OOM     string          `json:"oom,omitempty"`    // the server's oom_score_adj
	Counts  *Counts         `json:"counts,omitempty"`
	Number  int32           `json:"number,omitempty"` // of a registered file
	Errno   int             `json:"errno,omitempty"`
	Error   string          `json:"error,omitempty"`
	Hint    string          `json:"hint,omitempty"`

	files []*os.File
}

// Place is where a mount is.
type Place struct {
	Mountpoint []byte `json:"mountpoint"` // a path, in any encoding
	Device     string `json:"device"`     // MAJOR:MINOR, as in the mount table
}

// Counts is what a keeper knows about its servers.
type Counts struct {
	Keeper   int `json:"keeper"`   // process
	Restarts int `json:"restarts"` // servers that died and were replaced
	Upgrades int `json:"upgrades"` // and those that were replaced alive
}

const (
	maxMessage = 64 << 10 // bytes
	maxFiles   = 32       // that come with a message
)

var errMessage = errors.New("not a message")

// channel is one end of a socket pair. One at a time may receive.
type channel struct {
	fd           int
	data, rights []byte // of the message that is received
}

func newEnd(fd int) *channel { return &channel{fd: fd} }

// newChannel makes a pair, the second end of which is for another process.
func newChannel() (*channel, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return newEnd(fds[0]), os.NewFile(uintptr(fds[1]), "keeper"), nil
}

func (c *channel) close() { unix.Close(c.fd) }

// send waits until there is room. What was sent is received, even if the sender
// is dead by then.
func (c *channel) send(m message) error { return c.sendWith(m, 0) }

// trySend fails where send would wait.
func (c *channel) trySend(m message) error { return c.sendWith(m, unix.MSG_DONTWAIT) }

func (c *channel) sendWith(m message, flags int) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(data) > maxMessage || len(m.files) > maxFiles {
		return fmt.Errorf("message of %d bytes and %d files is too large", len(data), len(m.files))
	}
	var rights []byte
	if len(m.files) > 0 {
		fds := make([]int, len(m.files))
		for i, f := range m.files {
			fds[i] = int(f.Fd())
		}
		rights = unix.UnixRights(fds...)
	}
	for {
		if err = unix.Sendmsg(c.fd, data, rights, nil, unix.MSG_NOSIGNAL|flags); err != unix.EINTR {
			return os.NewSyscallError("sendmsg", err)
		}
	}
}

// receive waits for the next message; [io.EOF] when the other end is closed.
func (c *channel) receive() (m message, err error) {
	if c.data == nil {
		c.data, c.rights = make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4*maxFiles))
	}
	var n, oob, flags int
	for {
		if n, oob, flags, _, err = unix.Recvmsg(c.fd, c.data, c.rights, unix.MSG_CMSG_CLOEXEC); err != unix.EINTR {
			break
		}
	}
	if err == unix.ECONNRESET || err == nil && n == 0 {
		return m, io.EOF
	}
	if err != nil {
		return m, os.NewSyscallError("recvmsg", err)
	}
	files := descriptors(c.rights[:oob])
	if flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		err = errMessage
	} else if e := json.Unmarshal(c.data[:n], &m); e != nil {
		err = fmt.Errorf("%w: %w", errMessage, e)
	}
	if m.files = files; err != nil {
		m.closeFiles()
	}
	return m, err
}

// descriptors takes over what came along.
func descriptors(rights []byte) (files []*os.File) {
	list, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil
	}
	for _, m := range list {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			continue
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files
}

func (m *message) closeFiles() {
	for _, f := range m.files {
		f.Close()
	}
	m.files = nil
}

// named are the files that come with a message, by name.
func (m *message) named() (map[string]*os.File, error) {
	if len(m.Names) != len(m.files) {
		m.closeFiles()
		return nil, errMessage
	}
	files := map[string]*os.File{}
	for i, name := range m.Names {
		files[name] = m.files[i]
	}
	return files, nil
}

// file is a copy of a channel's end.
func (c *channel) file() (*os.File, error) {
	fd, err := unix.FcntlInt(uintptr(c.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	return os.NewFile(uintptr(fd), "connection"), nil
}
