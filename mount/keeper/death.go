package keeper

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// died is told that the server has ended.
func (k *keeper) died() {
	c := k.server
	k.server = nil
	for k.drain(c) {
	}
	how := c.end()
	k.lookWhetherGone()
	switch {
	case k.tell != nil:
		k.stillborn(how)
	case k.gone || !k.deadline.IsZero():
		k.gone = true
	case c.stopped && k.heir != nil:
		k.succeed()
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

// stillborn is told that the first server ended before the tree could be used.
func (k *keeper) stillborn(how string) {
	if k.failure == nil {
		k.failure = fmt.Errorf("the server ended before the tree could be used: %s", how)
	}
	k.takeAway()
	k.tell(k.failure)
	k.tell = nil
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
	text := fmt.Sprintf("the server has died after %v (%s); another takes over", lived.Round(time.Millisecond), how)
	if pause > 0 {
		text += fmt.Sprintf(" in %v, as it is the %d. in a short time", pause, len(k.deaths.times))
	}
	if words := k.lastWords(); words != "" {
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
	k.note()
}
