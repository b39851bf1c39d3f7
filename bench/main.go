package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) == 4 && os.Args[1] == mountCommand {
		exit(mountImage(os.Args[2], os.Args[3]))
	}
	if len(os.Args) == 5 && os.Args[1] == webCommand {
		exit(serveWeb(os.Args[2], os.Args[3], os.Args[4]))
	}
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, errHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	case os.Getenv(workEnv) == "":
		exit(supervise(o))
	default:
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		exit(runAll(ctx, o, os.Getenv(workEnv)))
	}
}

// exit ends this process, with the error if there is one.
func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// missing says what this machine lacks, or nil.
func missing() error {
	if os.Geteuid() != 0 {
		return errors.New("needs root, to mount and to drop caches")
	}
	if _, err := exec.LookPath("ostree"); err != nil {
		return errors.New("ostree is not installed; on Debian: apt-get install ostree")
	}
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("/dev/fuse: %w; load the module with `modprobe fuse`", err)
	}
	return unix.Close(fd)
}
