package keeper

import (
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// controlName is the name under which the control socket is kept. A server that
// outlives its keeper goes on listening there.
const controlName = "control"

// turn waits until something comes up, and does it.
func (k *keeper) turn() {
	var fds []unix.PollFd
	var acts []func()
	on := func(fd int, events int16, act func()) {
		fds, acts = append(fds, unix.PollFd{Fd: int32(fd), Events: events}), append(acts, act)
	}
	if k.deadline.IsZero() {
		on(int(k.wake.Fd()), unix.POLLIN, k.endMount)
	}
	if device := k.files[Device]; device != nil && !k.gone {
		on(int(device.Fd()), 0, func() { k.gone = true })
	}
	for _, c := range []*child{k.server, k.heir} {
		if c == nil {
			continue
		}
		on(c.dead, unix.POLLIN, func() { k.ended(c) })
		if !c.mute {
			on(c.ch.fd, unix.POLLIN, func() { k.hear(c) })
		}
	}
	on(int(k.listener.Fd()), unix.POLLIN, k.accept)
	for _, conn := range k.asking {
		on(conn.fd, unix.POLLIN, func() { k.asked(conn) })
	}
	if _, err := unix.Poll(fds, k.patience()); err != nil && err != unix.EINTR {
		k.say("poll: %v", err)
		time.Sleep(firstPause)
	}
	for i, fd := range fds {
		if fd.Revents != 0 {
			acts[i]()
			break // it may have changed what the others are about
		}
	}
	k.onTime()
}

// patience is how long to wait for something to come up, in milliseconds; -1 is
// for ever.
func (k *keeper) patience() int {
	var next time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	sooner(k.deadline)
	for _, c := range []*child{k.server, k.heir} {
		if c != nil {
			sooner(c.until)
		}
	}
	if k.server == nil && k.deadline.IsZero() {
		sooner(k.restart)
	}
	if next.IsZero() {
		return -1
	}
	return max(0, int(time.Until(next).Milliseconds())+1)
}

// Tick bounds how long all goroutines may stop, in a server and in a keeper: a
// collection stops them, and Go 1.26 overlooks a thread that is just entering a
// system call until the runtime's monitor finds it, which sleeps until the next
// timer is due, up to a minute.
func Tick() { time.AfterFunc(time.Second, Tick) }

// onTime does what is due.
func (k *keeper) onTime() {
	now := time.Now()
	due := func(t time.Time) bool { return !t.IsZero() && now.After(t) }
	if due(k.deadline) {
		k.deadline = now.Add(endTime)
		k.gone = true
		if k.server != nil {
			k.server.process.Kill()
		}
	}
	if c := k.server; c != nil && due(c.until) {
		c.until = time.Time{}
		c.process.Kill()
	}
	if k.heir != nil && due(k.heir.until) {
		k.refuse(&Failure{Text: "the new server was not prepared in time"})
	}
	if k.server == nil && k.deadline.IsZero() && !k.gone && k.failure == nil && now.After(k.restart) {
		k.revive()
	}
}

// ended is told that a server's process has ended.
func (k *keeper) ended(c *child) {
	if c == k.heir {
		for k.drain(c) {
		}
		if k.heir == c { // it gave no reason
			k.refuse(&Failure{Text: "the new server ended"})
		}
		return
	}
	k.died()
}

// accept takes a connection to the control socket; what is asked comes later.
func (k *keeper) accept() {
	conn, err := accept(k.listener)
	if err == nil {
		k.asking = append(k.asking, conn)
	}
}

// asked answers what is asked on a connection, or has the server answer.
func (k *keeper) asked(conn *channel) {
	k.asking = slices.DeleteFunc(k.asking, func(c *channel) bool { return c == conn })
	m, err := conn.receive()
	if err != nil {
		conn.close()
		return
	}
	defer m.closeFiles()
	if m.Kind == kindUpgrade && len(m.files) == 1 {
		k.upgrade(conn, m.files[0])
		m.files = nil
		return
	}
	defer conn.close()
	counts := Counts{Keeper: os.Getpid(), Restarts: k.Restarts, Upgrades: k.Upgrades}
	if m.Kind != kindAsk {
		return
	}
	if k.server == nil || !k.server.ready || k.server.stopped || k.pass(conn, &counts) != nil {
		conn.answer(k.absent(counts))
	}
}

// pass lets the server answer on a connection.
func (k *keeper) pass(conn *channel, counts *Counts) error {
	file, err := conn.file()
	if err != nil {
		return err
	}
	defer file.Close()
	return k.server.ch.send(message{Kind: kindAsk, Counts: counts, files: []*os.File{file}})
}

// file is a copy of a channel's end.
func (c *channel) file() (*os.File, error) {
	fd, err := unix.FcntlInt(uintptr(c.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	return os.NewFile(uintptr(fd), "connection"), nil
}

// absent is the status of a mount that has no server just now.
func (k *keeper) absent(counts Counts) any {
	return struct {
		Place
		Counts
	}{k.Place, counts}
}
