package keeper

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

var errEnded = errors.New("the mount was ended before it could be used")

// died is told that the server has ended.
func (k *keeper) died() {
	c := k.server
	for k.drain(c) {
	}
	k.server = nil
	how := c.end()
	k.lookWhetherGone()
	switch {
	case k.tell != nil && (k.Session == nil || k.ending() || k.failure != nil):
		k.stillborn(how)
	case k.gone || k.ending():
		k.ended = true
	case c.stopped && k.heir != nil:
		k.succeed()
	case k.Mortal:
		k.bury(how)
	default:
		k.mourn(how, time.Since(c.began))
	}
}

// lookWhetherGone asks the kernel whether the connection has ended.
func (k *keeper) lookWhetherGone() {
	if device := k.files[Device]; device != nil {
		fds := []unix.PollFd{{Fd: int32(device.Fd())}}
		if n, err := unix.Poll(fds, 0); err == nil && n > 0 {
			k.gone = true
		}
	}
}

// stillborn is told that the mount will not be used.
func (k *keeper) stillborn(how string) {
	switch {
	case k.failure != nil:
	case k.ending():
		k.failure = errEnded
	default:
		k.failure = fmt.Errorf("the server ended before the tree could be used: %s", how)
	}
	k.takeAway()
	k.ended = true
	k.tell(k.failure)
	k.tell = nil
}

// bury ends a mount whose server can't be replaced: the kernel does not send
// again what was in flight, which would wait for ever.
func (k *keeper) bury(how string) {
	k.say("the server has died (%s), and no other can take over before Linux 6.9: the mount ends", how)
	k.takeAway()
	k.ended = true
}

// drain hears what a server said before it ended.
func (k *keeper) drain(c *child) bool {
	fds := []unix.PollFd{{Fd: int32(c.ch.fd), Events: unix.POLLIN}}
	if n, err := unix.Poll(fds, 0); c.mute || n <= 0 || err != nil || fds[0].Revents&unix.POLLIN == 0 {
		return false
	}
	k.hear(c)
	return true
}

// mourn has another server started in the place of one that has lived so long, at
// once or after a pause.
func (k *keeper) mourn(how string, lived time.Duration) {
	k.Restarts++
	pause := k.deaths.next(time.Now(), lived)
	k.restart = time.Now().Add(pause)
	words := k.lastWords()
	if pause == 0 {
		k.revive() // before anybody is told, who may wait for this mount
	}
	text := fmt.Sprintf("the server has died after %v (%s); another takes over", lived.Round(time.Millisecond), how)
	if pause > 0 {
		text += fmt.Sprintf(" in %v, as it is the %d. in a short time", pause, k.deaths.many)
	}
	if words != "" {
		text += "; its last words: " + words
	}
	k.say("%s", text)
	if k.upgrader != nil && k.heir == nil {
		k.refuse(&Failure{Text: "the new server has died (" + how + ")"})
	}
}

// revive starts a server in the place of one that died.
func (k *keeper) revive() {
	var err error
	if k.server, err = k.spawn(self, false); err != nil {
		k.say("%v", err)
		k.restart = time.Now().Add(max(k.deaths.next(time.Now(), 0), firstPause))
		return
	}
	k.server.until = time.Now().Add(prepareTime)
	k.note()
}
