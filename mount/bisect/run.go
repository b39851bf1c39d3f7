package bisect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// endTime is how long a command that is told to end may take.
const endTime = 10 * time.Second

// Exit statuses of a test that do not say that a commit is bad.
const (
	exitGood = 0
	exitSkip = 125
	exitStop = 128 // and above
)

// Test runs a command about the commit under test, and says what it found out. It
// gets the mountpoint as its last argument, and in $DEPLOYFS_BISECT_MOUNT; the
// commit is in $DEPLOYFS_BISECT_COMMIT. When ctx ends, it is told to end, too.
func (s *Session) Test(ctx context.Context, command []string) (Kind, error) {
	cmd := exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], s.Mountpoint)...)
	cmd.Env = append(os.Environ(), "DEPLOYFS_BISECT_MOUNT="+s.Mountpoint, "DEPLOYFS_BISECT_COMMIT="+s.Testing)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = endTime
	err := cmd.Run()
	exit := new(exec.ExitError)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil && !errors.As(err, &exit):
		return "", fmt.Errorf("bisect run failed: %w", err)
	}
	return judge(cmd.ProcessState.ExitCode(), cmd.ProcessState.String(), command[0])
}

// judge is what the end of a test says.
func judge(code int, how, command string) (Kind, error) {
	switch {
	case code < 0:
		return "", fmt.Errorf("bisect run failed: '%s' ended by %s", command, how)
	case code >= exitStop:
		return "", fmt.Errorf("bisect run failed: exit code %d from '%s' is < 0 or >= %d", code, command, exitStop)
	case code == exitGood:
		return Good, nil
	case code == exitSkip:
		return Skipped, nil
	}
	return Bad, nil
}
