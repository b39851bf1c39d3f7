package keeper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Launch runs this program as a keeper in the background, and returns once the
// tree can be used, or with the reason why it can't. When ctx ends before that,
// so does the keeper. Name is the mount's in the list of processes.
func Launch(ctx context.Context, config []byte, name string) error {
	// What the shell left open, a lock perhaps, is not for the keeper.
	unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) // Linux 5.11; older: it is inherited
	ch, theirs, err := newChannel()
	if err != nil {
		return fmt.Errorf("starting server: %w", err)
	}
	defer ch.close()
	cmd := exec.Command(self, Verb, name)
	cmd.Args[0] = "deployfs"
	cmd.Env = append(os.Environ(), channelEnv+"=3")
	cmd.Stderr = os.Stderr // for a crash; the keeper lets go of it
	cmd.ExtraFiles = []*os.File{theirs}
	err = cmd.Start()
	theirs.Close()
	if err == nil {
		err = ch.send(message{Kind: kindStart, Config: config})
	}
	if err != nil {
		return fmt.Errorf("starting server: %w", err)
	}
	defer context.AfterFunc(ctx, func() { cmd.Process.Signal(syscall.SIGTERM) })()
	return await(ctx, ch, cmd)
}

// await hears what came of a keeper.
func await(ctx context.Context, ch *channel, cmd *exec.Cmd) error {
	m, err := ch.receive()
	if err == nil && m.Kind == kindReady && ctx.Err() == nil {
		return cmd.Process.Release()
	}
	state := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		if errors.Is(err, io.EOF) && state != nil {
			err = state
		}
		return fmt.Errorf("the keeper ended before the tree could be used: %w", err)
	}
	return m.failure()
}

// Launcher is who has launched this keeper.
type Launcher struct{ ch *channel }

// Launched is for a process that Launch runs: it returns the mount's
// configuration, and whom to tell what comes of it.
func Launched() ([]byte, *Launcher, error) {
	ch, err := inherited()
	if err != nil {
		return nil, nil, err
	}
	m, err := ch.receive()
	if err != nil {
		return nil, nil, fmt.Errorf("starting server: %w", err)
	}
	m.closeFiles()
	return m.Config, &Launcher{ch}, nil
}

// Tell says that the tree can be used, or why it can't. Then the keeper is on its
// own: it lets go of its launcher's directory and terminal.
func (l *Launcher) Tell(err error) {
	if err == nil {
		err = detach()
	}
	if err != nil {
		l.ch.send(failed(err))
	} else {
		l.ch.send(message{Kind: kindReady})
	}
	l.ch.close()
}

// detach lets go of the launcher's process group, too. Not before the mount is
// made: autofs lets its own process group through, and has everybody else wait
// for the mount.
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
