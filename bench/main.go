package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// options is the command line.
type options struct {
	rounds     int
	cold, json bool
	dir        string
	deployfs   string
	small, big int   // entries of the trees
	large      int64 // MiB of the large file
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar(&o.rounds, "n", 5, "`rounds` of each question, after one that is not counted")
	flags.BoolVar(&o.cold, "cold", true, "drop the caches of this machine, to measure what is cold")
	flags.BoolVar(&o.json, "json", false, "print JSON instead of Markdown")
	flags.StringVar(&o.dir, "dir", "/var/tmp", "`directory` in which the work directory is made, and removed")
	flags.StringVar(&o.deployfs, "deployfs", "", "`path` of the program; built from ./cmd/deployfs when empty")
	flags.IntVar(&o.small, "small", 4000, "`entries` of the small tree")
	flags.IntVar(&o.big, "big", 50000, "`entries` of the big tree")
	flags.Int64Var(&o.large, "large", 256, "`MiB` of the large file")
	err = flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
	case err == nil && flags.NArg() > 0:
		err = fmt.Errorf("no argument is taken, but %q was given", flags.Arg(0))
	case err == nil && (o.rounds < 1 || o.small < 1 || o.big < 1 || o.large < 0):
		err = errors.New("-n, -small and -big are at least 1, and -large is not negative")
	}
	return o, err
}

func main() {
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	case os.Getenv(workEnv) == "":
		err = supervise(o)
	default:
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		err = runAll(ctx, o, os.Getenv(workEnv))
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
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
