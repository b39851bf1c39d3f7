package mount

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// helperTime limits a call of fusermount3, which hangs where the way to the
// target leads over a filesystem that hangs.
const helperTime = 10 * time.Second

var (
	errNoHelper   = errors.New("without privilege it needs fusermount3, which is not installed")
	errAllowOther = errors.New("option allow_other is not permitted to users")
	errNoAnswer   = fmt.Errorf("fusermount3 gave no answer within %v", helperTime)
)

// hintOwnMount holds for what the user has not mounted, and for what is no FUSE
// mount.
const hintOwnMount = "unmount as the user who mounted it, or as root"

// helperFailures translates what fusermount3 prints.
var helperFailures = []struct {
	says string
	err  error
	hint string
}{
	{"user_allow_other", errAllowOther, "set user_allow_other in /etc/fuse.conf, or mount as root"},
	{"failed to open /dev/fuse: Permission denied", fmt.Errorf("open %s: %w", fuseDevice, unix.EACCES),
		"let users open it with `chmod 666 /dev/fuse`, or mount as root"},
	{"failed to open /dev/fuse", fmt.Errorf("open %s: %w", fuseDevice, unix.EPERM), hintDevice},
	{"fuse device not found", fmt.Errorf("open %s: %w", fuseDevice, unix.ENOENT), hintDevice},
	{"no write access to mountpoint", fmt.Errorf("no write access to the mountpoint: %w", unix.EACCES), hintOwnTarget},
	{"not owned by user", fmt.Errorf("the mountpoint belongs to another user: %w", unix.EACCES), hintOwnTarget},
	{"Permission denied", unix.EACCES, hintOwnTarget},
	{"mount failed: Operation not permitted", unix.EPERM, hintCapability},
	{"Device or resource busy", unix.EBUSY, ""},
	{"failed to unmount", unix.EPERM, hintOwnMount},
	{"not found in /etc/mtab", unix.EPERM, hintOwnMount},
}

// helperEnv names the descriptor of the socket to which fusermount3 sends the
// opened /dev/fuse: the first of exec.Cmd.ExtraFiles.
const helperEnv = "_FUSE_COMMFD=3"

// runHelper runs fusermount3 on path, with comm as its descriptor 3 when it is
// not nil, and words its failure.
func runHelper(op, path string, comm *os.File, args ...string) error {
	program, err := Fusermount()
	if err != nil {
		return noHelper(op, path)
	}
	ctx, cancel := context.WithTimeout(context.Background(), helperTime)
	defer cancel()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, append(args, "--", path)...)
	cmd.Args[0] = filepath.Base(program) // stands before its messages
	cmd.Stderr = &stderr
	cmd.WaitDelay = time.Second
	if comm != nil {
		cmd.Env = append(os.Environ(), helperEnv)
		cmd.ExtraFiles = []*os.File{comm}
	}
	err = cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &Error{Op: op, Path: path, Err: errNoAnswer}
	}
	return helperError(op, path, stderr.String(), err)
}

// Fusermount returns the path of fusermount3, or of fusermount.
func Fusermount() (string, error) {
	program, err := exec.LookPath("fusermount3")
	if err != nil {
		program, err = exec.LookPath("fusermount")
	}
	return program, err
}

// noHelper is the error when there is no fusermount3. Root has no use for it:
// what root lacks is a capability.
func noHelper(op, path string) error {
	if os.Geteuid() == 0 {
		return &Error{Op: op, Path: path, Err: unix.EPERM, Remedy: hintCapability}
	}
	return &Error{Op: op, Path: path, Err: errNoHelper, Remedy: "install the Debian package fuse3, or do it as root"}
}

// helperError makes an Error of what fusermount3 printed, or of err where it
// printed nothing.
func helperError(op, path, stderr string, err error) error {
	for _, f := range helperFailures {
		if strings.Contains(stderr, f.says) {
			return &Error{Op: op, Path: path, Err: f.err, Remedy: f.hint}
		}
	}
	// Lines before the last are warnings, about /etc/fuse.conf for instance.
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if last := lines[len(lines)-1]; last != "" {
		err = errors.New(last)
	}
	return &Error{Op: op, Path: path, Err: err}
}
