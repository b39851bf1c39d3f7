package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// readyEnv tells a server in the background on which descriptor its starter waits.
const readyEnv = "DEPLOYFS_READY_FD"

// outcome is what a server tells its starter: nothing, or why it ends.
type outcome struct {
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
}

// hinter is an error that knows the remedy.
type hinter interface{ Hint() string }

// Failure is why a mount did not come to be, with the remedy where there is one.
type Failure struct {
	Text   string
	Remedy string
}

func (f *Failure) Error() string { return f.Text }

// Hint is the remedy, or "".
func (f *Failure) Hint() string { return f.Remedy }

// Start runs this program again with args, which must lead it to Serve, and
// returns once the tree can be used, or with the reason why it can't. When ctx
// ends before that, so does the server.
func Start(ctx context.Context, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("starting server: %w", err)
	}
	// What the shell left open, a lock perhaps, is not for the server.
	unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) // Linux 5.11; older: it is inherited
	ready, theirs, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("starting server: %w", err)
	}
	defer ready.Close()
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), readyEnv+"="+strconv.Itoa(3))
	cmd.Stderr = os.Stderr // for a crash; the server lets go of it
	cmd.ExtraFiles = []*os.File{theirs}
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return fmt.Errorf("starting server: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { cmd.Process.Signal(syscall.SIGTERM) })
	defer stop()
	return await(ctx, ready, cmd)
}

// await reads the server's word.
func await(ctx context.Context, ready io.Reader, cmd *exec.Cmd) error {
	var o outcome
	err := json.NewDecoder(io.LimitReader(ready, 1<<16)).Decode(&o)
	if err == nil && o.Error == "" && ctx.Err() == nil {
		return cmd.Process.Release()
	}
	state := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		if state != nil {
			err = state
		}
		return fmt.Errorf("the server ended before the tree could be used: %w", err)
	}
	return &Failure{o.Error, o.Hint}
}

// Background reports whether this process was run by Start.
func Background() bool { return os.Getenv(readyEnv) != "" }

// starter is the one who waits for a server in the background; nil otherwise.
type starter struct{ pipe *os.File }

// newStarter takes over the descriptor that Start passed on.
func newStarter() (*starter, error) {
	text := os.Getenv(readyEnv)
	if text == "" {
		return nil, nil
	}
	fd, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", readyEnv, text, err)
	}
	syscall.CloseOnExec(fd)
	return &starter{os.NewFile(uintptr(fd), "ready")}, os.Unsetenv(readyEnv)
}

// tell says how starting ended. From then on the server is on its own, also
// when the one who waited is gone.
func (s *starter) tell(err error) {
	var o outcome
	if err != nil {
		o.Error = err.Error()
		if h := hinter(nil); errors.As(err, &h) {
			o.Hint = h.Hint()
		}
	}
	json.NewEncoder(s.pipe).Encode(o)
	s.pipe.Close()
}

// detach lets go of the starter's directory, terminal and process group. Not
// before the mount is made: autofs lets its own process group through, and has
// everybody else wait for the mount.
func detach() error {
	if _, err := unix.Setsid(); err != nil {
		return fmt.Errorf("setsid: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	return unix.Dup3(int(null.Fd()), int(os.Stderr.Fd()), 0)
}
