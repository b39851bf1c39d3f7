package keeper

import (
	"errors"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/fs/session"
)

// hear does what the server says.
func (k *keeper) hear(c *child) {
	m, err := c.ch.receive()
	if err != nil {
		c.mute = true // it is ending
		if !errors.Is(err, io.EOF) {
			k.say("from its server: %v", err)
			c.process.Kill()
		}
		return
	}
	defer m.closeFiles()
	switch m.Kind {
	case kindKeep:
		k.keep(&m)
	case kindSession:
		k.remember(&m)
	case kindRegister:
		k.register(c, &m)
	case kindUnregister:
		k.connection().Unregister(m.Number)
	case kindLog:
		k.log.Line(k.Foreground, m.Error)
	case kindEnd:
		k.endMount()
	case kindPrepared:
		k.handOver(c)
	case kindReady:
		k.served(c)
	case kindFailed:
		k.failed(c, m.failure())
	}
}

// keep holds the files that a server has. Once the tree can be used these are
// indexes alone: what it may have been made to say by then is not believed.
func (k *keeper) keep(m *message) {
	files, err := m.named()
	if err != nil {
		return
	}
	m.files = nil
	for name, file := range files {
		if name != Index && k.tell == nil || name == controlName || len(k.files) == maxFiles {
			file.Close()
			continue
		}
		k.hold(name, file)
		k.store(name, file)
	}
}

// remember notes what the next server has to know; where the mount is, only until
// the tree can be used.
func (k *keeper) remember(m *message) {
	k.Session = m.Session
	if m.Place != nil && k.tell != nil {
		k.Place, k.Mortal = *m.Place, m.Mortal
	}
	k.note()
}

// note writes down what has changed.
func (k *keeper) note() {
	if k.server != nil {
		k.Server, k.Began = k.server.process.Pid, k.server.began
	}
	if err := k.save(); err != nil {
		k.say("%v", err)
	}
}

// served is told when a server answers.
func (k *keeper) served(c *child) {
	if c != k.server {
		return
	}
	c.ready = true
	if !c.stopped { // or it is still to end in time
		c.until = time.Time{}
	}
	k.note()
	if k.ending() { // since before it could be used
		k.takeAway()
		return
	}
	if k.tell != nil {
		k.manager("READY=1")
		k.tell(nil)
		k.tell = nil
	}
	if k.upgrader != nil && k.heir == nil {
		k.upgraded()
	}
}

// failed is told why a server can't serve.
func (k *keeper) failed(c *child, why error) {
	switch {
	case c == k.heir, k.upgrader != nil && k.heir == nil:
		k.refuse(why)
	case k.tell != nil:
		k.failure = why
	default:
		k.say("a new server can't serve: %v", why)
	}
}

func (k *keeper) connection() session.Connection {
	if device := k.files[Device]; device != nil {
		return session.Connection(device.Fd())
	}
	return -1
}

// register gives a file of a server's to the kernel. A server that does not hear
// the answer is ending.
func (k *keeper) register(c *child, m *message) {
	reply := message{Kind: kindRegistered}
	var err error = unix.EINVAL
	if len(m.files) == 1 {
		reply.Number, err = k.connection().Register(int(m.files[0].Fd()))
	}
	if err != nil {
		errno := unix.EIO
		errors.As(err, &errno)
		reply.Errno = int(errno)
	}
	if c.ch.trySend(reply) != nil && err == nil {
		k.connection().Unregister(reply.Number)
	}
}
