package keeper

import (
	"errors"
	"io"

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
		k.Session = m.Session
		if m.Place != nil {
			k.Place = *m.Place
		}
		k.note()
	case kindRegister:
		c.ch.send(k.register(&m))
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

func (k *keeper) keep(m *message) {
	files, err := m.named()
	if err != nil {
		return
	}
	for name, file := range files {
		k.hold(name, file)
		k.store(name, file)
	}
	m.files = nil
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
	c.ready = true
	k.note()
	if k.tell != nil {
		k.manager("READY=1")
		k.tell(nil)
		k.tell = nil
	}
	if k.upgrader != nil {
		k.upgraded()
	}
}

// failed is told why a server can't serve.
func (k *keeper) failed(c *child, why error) {
	switch {
	case c == k.heir:
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

// register gives a file of a server's to the kernel.
func (k *keeper) register(m *message) message {
	reply := message{Kind: kindRegistered}
	errno := unix.EINVAL
	if len(m.files) == 1 {
		var err error
		if reply.Number, err = k.connection().Register(int(m.files[0].Fd())); err == nil {
			return reply
		}
		errors.As(err, &errno)
	}
	reply.Errno = int(errno)
	return reply
}
