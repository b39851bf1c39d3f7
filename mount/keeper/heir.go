package keeper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// heirEnv tells a program that a keeper has become it, and which files it has:
// NAME=DESCRIPTOR, separated by commas.
const heirEnv = "DEPLOYFS_KEPT"

// The names of files that a keeper has beside those that it keeps.
const (
	stateName    = ".state"
	channelName  = ".channel"
	stderrName   = ".stderr"
	upgraderName = ".upgrader" // who has asked for the new program
)

// Inherits reports whether this process is a keeper that was another program.
func Inherits() bool { return os.Getenv(heirEnv) != "" }

// become replaces the program of this process, which then tells who has asked for
// it. It returns when that fails, and when the mount is to end. A signal that comes
// in the milliseconds until the new program listens is lost, or ends the keeper
// alone.
func (k *keeper) become(program *os.File, upgrader *channel) {
	defer program.Close()
	files := map[string]*os.File{stateName: k.state, stderrName: k.stderr}
	for name, file := range k.files {
		files[name] = file
	}
	for name, ch := range map[string]*channel{channelName: k.server.ch, upgraderName: upgrader} {
		file, err := ch.file()
		if err != nil {
			k.say("%v", err)
			return
		}
		defer file.Close()
		files[name] = file
	}
	if err := k.save(); err != nil {
		k.say("%v", err)
		return
	}
	var list []string
	for name, file := range files {
		fd := file.Fd()
		if _, err := unix.FcntlInt(fd, unix.F_SETFD, 0); err != nil {
			k.say("%v", err)
		}
		list = append(list, fmt.Sprintf("%s=%d", name, fd))
	}
	for _, conn := range k.asking {
		conn.close()
	}
	k.asking = nil
	env := append(os.Environ(), heirEnv+"="+strings.Join(list, ","))
	if !k.woken() {
		err := unix.Exec(programPath(program), []string{"deployfs", Verb, k.name}, env)
		k.say("the keeper stays what it was: %v", err)
	}
	for _, file := range files {
		unix.CloseOnExec(int(file.Fd()))
	}
}

// woken reports whether the mount is to end.
func (k *keeper) woken() bool {
	fds := []unix.PollFd{{Fd: int32(k.wake.Fd()), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

// Inherit goes on as the keeper that this process was before it became this
// program. The job needs no configuration.
func Inherit(ctx context.Context, job Job) error {
	k, err := newKeeper(job)
	if err != nil {
		return err
	}
	k.tell = nil
	if err := k.inherit(); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { k.waker.Close() })()
	return k.run()
}

func (k *keeper) inherit() error {
	files, err := inheritedFiles()
	if err != nil {
		return err
	}
	k.kept = &kept{state: files[stateName], files: files}
	end := files[channelName]
	k.stderr, k.listener = files[stderrName], files[controlName]
	if k.state == nil || end == nil || k.stderr == nil || k.listener == nil {
		return errors.New("keeper: files are missing")
	}
	upgrader := files[upgraderName]
	for _, name := range []string{stateName, channelName, stderrName, upgraderName} {
		delete(files, name)
	}
	if err := k.load(); err != nil {
		return err
	}
	k.name = string(k.Place.Mountpoint)
	fd, err := unix.FcntlInt(end.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("dup", err)
	}
	end.Close()
	k.server, err = adopt(k.Server, newEnd(fd), k.Began)
	if err == nil && upgrader != nil { // from now on signals are heard
		newEnd(int(upgrader.Fd())).send(message{Kind: kindReady})
		upgrader.Close()
	}
	return err
}

// inheritedFiles takes over what the environment names.
func inheritedFiles() (map[string]*os.File, error) {
	files := map[string]*os.File{}
	for item := range strings.SplitSeq(os.Getenv(heirEnv), ",") {
		name, number, _ := strings.Cut(item, "=")
		fd, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", heirEnv, err)
		}
		unix.CloseOnExec(fd)
		files[name] = os.NewFile(uintptr(fd), name)
	}
	return files, os.Unsetenv(heirEnv)
}
