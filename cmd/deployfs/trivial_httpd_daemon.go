package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"deployfs/cmd/internal/httpd"
)

// httpdInherited is the option of the process in the background.
const httpdInherited = "inherited"

// What it inherits.
const (
	httpdListenerFD = 3
	httpdLogFD      = 4
)

// daemonize starts this command line once more, in the background, on a listener and with a log (nil
// is none) that are open already: whatever can go wrong has done so by then.
func daemonize(l *net.TCPListener, log *os.File) error {
	socket, err := l.File()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	child := exec.Command(self)
	child.Args = append([]string{os.Args[0], "--" + httpdInherited}, os.Args[1:]...)
	child.ExtraFiles = []*os.File{socket}
	if log != nil {
		child.ExtraFiles = append(child.ExtraFiles, log)
	}
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		return err
	}
	return child.Process.Release()
}

// runInherited is the process in the background.
func (o *httpdOptions) runInherited(ctx context.Context) error {
	file := os.NewFile(httpdListenerFD, "listener")
	listener, err := net.FileListener(file)
	if err != nil {
		return fmt.Errorf("--%s is for processes that this program starts: %w", httpdInherited, err)
	}
	file.Close()
	if o.logFile != "" {
		o.Log = httpd.NewLog(os.NewFile(httpdLogFD, o.logFile))
	}
	return httpd.New(o.Config).Serve(ctx, listener)
}

// dieWithParent ends this process with the one that started it, as a server of a test should.
func dieWithParent() error {
	return unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGTERM), 0, 0, 0)
}

// cause is what an operation on a file says without its name.
func cause(err error) error {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number
	}
	return err
}
