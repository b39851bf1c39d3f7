package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

const (
	workEnv = "DEPLOYFS_BENCH_WORK" // set for the process that measures: its work directory
	// limit is how long a whole run may take.
	limit = 2 * time.Hour
	// graceTime is how long servers have to end by themselves.
	graceTime = 3 * time.Second
)

// supervise makes the work directory and runs this program again in a mount namespace of its own.
// When that process has ended, whatever way, nothing of it stays: no mount, process or file.
func supervise(o options) error {
	if err := missing(); err != nil {
		return err
	}
	work, err := os.MkdirTemp(o.dir, "deployfs-bench-")
	if err != nil {
		return err
	}
	defer removeAll(work)
	if o.deployfs == "" {
		o.deployfs = filepath.Join(work, "deployfs")
		out, err := exec.Command("go", "build", "-o", o.deployfs, "deployfs/cmd/deployfs").CombinedOutput()
		if err != nil {
			return fmt.Errorf("go build: %w\n%s", err, out)
		}
	}
	if o.deployfs, err = filepath.Abs(o.deployfs); err != nil {
		return err
	}
	return isolated(work, append(os.Args[1:], "-deployfs="+o.deployfs))
}

// removeAll removes the work directory, by a few threads: there are millions of names.
func removeAll(work string) {
	say("removing %s", work)
	parts, _ := filepath.Glob(filepath.Join(work, "*", "*"))
	const threads = 4
	together(threads, func(i int) error {
		for j := i; j < len(parts); j += threads {
			os.RemoveAll(parts[j])
		}
		return nil
	})
	if err := os.RemoveAll(work); err != nil {
		say("%v", err)
	}
}

// isolated runs this program again in its own mount namespace and ends what is left in it.
func isolated(work string, args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(os.Environ(), workEnv+"="+work, "LC_ALL=C.UTF-8")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Unshareflags: syscall.CLONE_NEWNS, // also makes every mount private there
		Pdeathsig:    syscall.SIGKILL,
	}
	runtime.LockOSThread() // the death signal is tied to this thread
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return err
	}
	space, err := namespace(cmd.Process.Pid)
	if err != nil {
		return errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	go forwardSignals(cmd.Process)
	err = cmd.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = errors.New("not finished") // the process has said why
	}
	return errors.Join(err, endLeftovers(space))
}

func forwardSignals(p *os.Process) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	for s := range c {
		p.Signal(s)
	}
}

// namespace identifies the mount namespace of a process.
func namespace(pid int) (string, error) {
	return os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", pid))
}

// endLeftovers waits until a mount namespace that is not this one's has no process any more: servers
// end when their mounts are gone. After graceTime it kills them.
func endLeftovers(space string) error {
	own, err := namespace(os.Getpid())
	if err != nil || own == space {
		return errors.Join(err, errors.New("not in a mount namespace of its own"))
	}
	var left []int
	for start := time.Now(); time.Since(start) < graceTime; time.Sleep(50 * time.Millisecond) {
		if left, err = inNamespace(space); err != nil || len(left) == 0 {
			return err
		}
	}
	var errs []error
	for _, pid := range left {
		errs = append(errs, fmt.Errorf("left running: process %d", pid), syscall.Kill(pid, syscall.SIGKILL))
	}
	return errors.Join(errs...)
}

// inNamespace lists the processes in a mount namespace.
func inNamespace(space string) (pids []int, err error) {
	procs, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	for _, p := range procs {
		pid, err := strconv.Atoi(p.Name())
		if err != nil {
			continue
		}
		if found, err := namespace(pid); err == nil && found == space {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
