package keeper

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// child is a server, as its keeper sees it.
type child struct {
	process *os.Process
	ch      *channel
	dead    int // descriptor that can be read when it has ended
	began   time.Time
	until   time.Time // when it is killed, if it is not to live on
	ready   bool      // it has said so
	stopped bool      // it was told to stop
	mute    bool      // it has closed its end
}

// spawn starts a server of the program at path and tells it what to do.
func (k *keeper) spawn(program string, waits bool) (*child, error) {
	ch, theirs, err := newChannel()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	c := &child{ch: ch, began: time.Now()}
	c.process, err = os.StartProcess(program, []string{"deployfs", ServerVerb, k.name}, &os.ProcAttr{
		Env:   k.childEnv(),
		Files: []*os.File{k.null, k.null, k.stderr, theirs},
		// A session of its own, as what the terminal sends is for the keeper. The
		// first gets it when it has mounted: autofs lets no other group through.
		Sys: &syscall.SysProcAttr{Setsid: k.Session != nil, PidFD: &c.dead},
	})
	if err != nil {
		ch.close()
		return nil, fmt.Errorf("starting a server: %w", err)
	}
	if c.dead < 0 {
		c.dead, err = unix.PidfdOpen(c.process.Pid, 0)
	}
	if err == nil {
		err = ch.send(k.start(k.Version, waits))
	}
	if err != nil {
		c.process.Kill()
		c.end()
		return nil, fmt.Errorf("starting a server: %w", err)
	}
	return c, nil
}

// childEnv is the environment without what is meant for this process.
func (k *keeper) childEnv() []string {
	env := []string{channelEnv + "=3"}
	for _, e := range os.Environ() {
		switch name, _, _ := strings.Cut(e, "="); name {
		case "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "WATCHDOG_USEC", "WATCHDOG_PID", channelEnv, heirEnv:
		default:
			env = append(env, e)
		}
	}
	return env
}

// adopt is the server that the keeper had before it became another program.
func adopt(pid int, ch *channel, began time.Time) (*child, error) {
	dead, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return nil, err
	}
	return &child{process: process, ch: ch, dead: dead, began: began, ready: true}, nil
}

// end waits for a server that has ended, and says how.
func (c *child) end() string {
	state, err := c.process.Wait()
	c.ch.close()
	unix.Close(c.dead)
	if err != nil {
		return err.Error()
	}
	return state.String()
}

// maxLastWords is how much of a crash is logged, in bytes.
const maxLastWords = 4096

// lastWords is what a server in the background wrote before it ended: the trace
// of a crash.
func (k *keeper) lastWords() string {
	if k.Foreground {
		return ""
	}
	buf := make([]byte, maxLastWords)
	n, _ := k.stderr.ReadAt(buf, 0)
	k.stderr.Truncate(0)
	return string(bytes.TrimSpace(buf[:n]))
}

// oomFile says how likely this process is to be killed when memory is short.
const oomFile = "/proc/self/oom_score_adj"

// protect makes the kernel kill others first, if it may, and returns what a
// server has instead.
func protect() string {
	was, err := os.ReadFile(oomFile)
	if err != nil {
		return ""
	}
	score, err := strconv.Atoi(strings.TrimSpace(string(was)))
	if err != nil || os.WriteFile(oomFile, []byte(strconv.Itoa(max(score-900, -1000))), 0) != nil {
		return ""
	}
	return strconv.Itoa(score)
}
