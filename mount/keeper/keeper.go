package keeper

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// The hidden verbs by which this program is run.
const (
	Verb       = "keep"
	ServerVerb = "serve"
)

// self is this program, also when its file was replaced.
const self = "/proc/self/exe"

// endTime is how long a mount that was taken away may have users, until they get
// ENOTCONN.
const endTime = 2 * time.Second

// Job is what a keeper is to do.
type Job struct {
	Config     []byte // for its servers
	Version    int    // of the state that this program's servers speak
	Name       string // of the mount, in the list of processes
	Foreground bool   // servers write to standard error
	Log        Log
	// Ready is called once: when the tree can be used, or with the reason why
	// it will not be.
	Ready func(error)
}

// Log takes what users should know.
type Log interface {
	// Event is about a mount.
	Event(foreground bool, mountpoint, reason string)
	// Line is what a server has to say: a confined one can't reconnect to the
	// system's log.
	Line(foreground bool, line string)
}

// keeper is a process that keeps a mount. All is done by one loop, so that
// nothing is half done when it becomes another program.
type keeper struct {
	*kept
	name     string
	log      Log
	tell     func(error)
	wake     *os.File // can be read when the mount is to end
	waker    *os.File // is closed then
	null     *os.File
	stderr   *os.File // of servers
	listener *os.File

	server   *child // nil while there is none
	heir     *child // takes over from it; nil unless there is an upgrade
	upgrader *channel
	program  *os.File // of the heir
	asking   []asker

	deaths   deaths
	restart  time.Time // when a server is to be started, if there is none
	deadline time.Time // of the end, when it has begun: then the server is killed
	gone     bool      // the kernel has ended the connection
	ended    bool      // there is nothing more to keep
	failure  error     // why the mount did not come to be
}

// Run keeps a mount until it is taken away, or ctx ends, which takes it away.
// It returns the reason why the mount did not come to be.
func Run(ctx context.Context, job Job) error {
	k, err := newKeeper(job)
	if err == nil {
		err = k.begin(job)
		if err != nil {
			k.close()
		}
	}
	if err != nil {
		job.Ready(err)
		return err
	}
	defer context.AfterFunc(ctx, func() { k.waker.Close() })()
	return k.run()
}

func newKeeper(job Job) (*keeper, error) {
	Tick()
	k := &keeper{name: job.Name, log: job.Log, tell: job.Ready}
	var err error
	if k.null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
		return nil, err
	}
	k.wake, k.waker, err = os.Pipe()
	return k, err
}

// begin starts the first server, or the next when an earlier keeper has left a
// mount to the service manager.
func (k *keeper) begin(job Job) (err error) {
	if !job.Foreground || !k.recover() {
		if k.kept, err = newKept(); err != nil {
			return err
		}
		k.Version, k.Config, k.Foreground = job.Version, job.Config, job.Foreground
	}
	k.OOM = protect()
	if err := k.openStderr(); err != nil {
		return err
	}
	if k.listener, k.Path, err = listen(); err != nil {
		return err
	}
	k.hold(controlName, k.listener)
	k.store(stateName, k.state)
	k.server, err = k.spawn(self, false)
	return err
}

// openStderr is where servers write that crash.
func (k *keeper) openStderr() error {
	if k.Foreground {
		k.stderr = os.Stderr
		return nil
	}
	fd, err := unix.MemfdCreate("stderr", unix.MFD_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("memfd_create", err)
	}
	k.stderr = os.NewFile(uintptr(fd), "stderr")
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_APPEND)
	return err
}

// say logs something about the mount.
func (k *keeper) say(format string, args ...any) {
	k.log.Event(k.Foreground, k.name, fmt.Sprintf(format, args...))
}

// ending reports whether the end has begun.
func (k *keeper) ending() bool { return !k.deadline.IsZero() }

// run does what comes up until the mount has ended.
func (k *keeper) run() error {
	for !k.ended {
		k.turn()
	}
	k.close()
	return k.failure
}

// close lets go of the lock, and then of the control socket: who no longer finds
// that can prune.
func (k *keeper) close() {
	if k.upgrader != nil {
		k.refuse(&Failure{Text: "the mount has ended"})
	}
	if k.listener == nil {
		return
	}
	k.unstore()
	for name, file := range k.files {
		if name != controlName {
			file.Close()
		}
	}
	os.Remove(k.Path)
	k.listener.Close()
}
