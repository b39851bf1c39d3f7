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
	if !k.ending() {
		on(int(k.wake.Fd()), unix.POLLIN, k.endMount)
	}
	// Not while a server is there, who sees it, too: the kernel wakes all who poll
	// the connection at each request.
	if device := k.files[Device]; device != nil && k.server == nil && !k.gone {
		on(int(device.Fd()), 0, func() { k.gone = true })
	}
	for _, c := range []*child{k.server, k.heir} {
		if c == nil {
			continue
		}
		on(c.dead, unix.POLLIN, func() { k.over(c) })
		if !c.mute {
			on(c.ch.fd, unix.POLLIN, func() { k.hear(c) })
		}
	}
	on(int(k.listener.Fd()), unix.POLLIN, k.accept)
	for _, a := range k.asking {
		on(a.fd, unix.POLLIN, func() { k.asked(a.channel) })
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
	if k.server == nil && !k.ending() {
		sooner(k.restart)
	}
	if len(k.asking) > 0 {
		sooner(k.asking[0].since.Add(askTime))
	}
	if next.IsZero() {
		return -1
	}
	return max(0, int(time.Until(next).Milliseconds())+1)
}

// onTime does what is due.
func (k *keeper) onTime() {
	now := time.Now()
	due := func(t time.Time) bool { return !t.IsZero() && now.After(t) }
	if due(k.deadline) {
		k.deadline = now.Add(endTime)
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
	for len(k.asking) > 0 && due(k.asking[0].since.Add(askTime)) {
		k.asking[0].close()
		k.asking = k.asking[1:]
	}
	switch {
	case k.server != nil || k.ending() || k.ended:
	case k.gone:
		k.ended = true
	case now.After(k.restart):
		k.revive()
	}
}

// over is told that a server's process has ended.
func (k *keeper) over(c *child) {
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

// asker is a connection on which nothing was asked yet.
type asker struct {
	*channel
	since time.Time
}

// maxAsking bounds them.
const maxAsking = 64

// accept takes a connection to the control socket; what is asked comes later.
func (k *keeper) accept() {
	conn, err := accept(k.listener)
	if err != nil {
		time.Sleep(shortPause) // out of descriptors, perhaps
		return
	}
	if len(k.asking) == maxAsking {
		k.asking[0].close()
		k.asking = k.asking[1:]
	}
	k.asking = append(k.asking, asker{conn, time.Now()})
}

// shortPause is between two tries of what should not fail.
const shortPause = 20 * time.Millisecond

// asked answers what is asked on a connection, or has the server answer.
func (k *keeper) asked(conn *channel) {
	k.asking = slices.DeleteFunc(k.asking, func(a asker) bool { return a.channel == conn })
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
	if m.Kind != kindAsk && m.Kind != kindAskKeeper {
		return
	}
	if m.Kind == kindAskKeeper || k.server == nil || !k.server.ready || k.server.stopped || k.pass(conn, &counts) != nil {
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
	return k.server.ch.trySend(message{Kind: kindAsk, Counts: counts, files: []*os.File{file}})
}

// absent is the status of a mount that has no server just now.
func (k *keeper) absent(counts Counts) any {
	return struct {
		Mountpoint string `json:"mountpoint"`
		Device     string `json:"device"`
		Counts
	}{string(k.Place.Mountpoint), k.Place.Device, counts}
}
