//go:build !race

package confine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

func read(path string) error {
	_, err := os.ReadFile(path)
	return err
}

func list(path string) error {
	_, err := os.ReadDir(path)
	return err
}

func open(path string, flags int) error {
	f, err := os.OpenFile(path, flags, 0o600)
	if err == nil {
		err = f.Close()
	}
	return err
}

// nameless makes a file without a name in dir and gives it one, as the cache of
// inflated content does.
func nameless(dir, name string) error {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o400)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Linkat(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(fd), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
}

// replace writes a file of a given size aside, and renames it, as a table of
// words is made.
func replace(dir, name string) error {
	f, err := os.CreateTemp(dir, ".new-")
	if err != nil {
		return err
	}
	defer f.Close()
	return errors.Join(f.Truncate(4096), os.Rename(f.Name(), name))
}

func share(path string) error {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	mapped, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err == nil {
		err = errors.Join(unix.Munmap(mapped), unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB))
	}
	return err
}

func socket(domain, kind int, to unix.Sockaddr) error {
	fd, err := unix.Socket(domain, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Connect(fd, to)
}

// listener is a Unix socket that listens at a name.
func listener(name string) (fd int, err error) {
	if fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err == nil {
		err = errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: name}), unix.Listen(fd, 1))
	}
	return fd, err
}

// connected is the end of a connection to a Unix socket at a path, whose other end
// stays open.
func connected(path string) (fd int, err error) {
	if _, err = listener(path); err != nil {
		return -1, err
	}
	if fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, err
	}
	return fd, unix.Connect(fd, &unix.SockaddrUnix{Name: path})
}

// descend runs this program again, which does nothing.
func descend() error {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleEnv+"=nothing")
	return cmd.Run()
}

// endChild starts this program, held up by its standard output, and ends it from
// the thread that started it.
func endChild() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleEnv+"=nothing")
	if err := cmd.Start(); err != nil {
		return err
	}
	err := cmd.Process.Kill()
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	cmd.Wait()
	return err
}

// execute maps memory that can be executed.
func execute() error {
	mapped, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err == nil {
		err = unix.Munmap(mapped)
	}
	return err
}

// raise gives the calling thread a capability.
func raise(c int) error {
	runtime.LockOSThread() // which is lost with it
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return err
	}
	sets[c/32].Permitted |= 1 << (c % 32)
	sets[c/32].Effective |= 1 << (c % 32)
	return unix.Capset(&header, &sets[0])
}

// clone makes a process in a new namespace; the child, if there is one, ends.
func clone(flags uintptr) error {
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, flags|uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	switch {
	case errno != 0:
		return errno
	case pid == 0:
		unix.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
	}
	_, err := unix.Wait4(int(pid), nil, 0, nil)
	return err
}

// statuses are the values of a line that every thread of this process has in its
// status, each once.
func statuses(line string) (values []string, err error) {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, task := range tasks {
		text, err := os.ReadFile("/proc/self/task/" + task.Name() + "/status")
		if err != nil {
			return nil, err
		}
		_, rest, found := bytes.Cut(text, []byte("\n"+line+":"))
		value, _, _ := bytes.Cut(rest, []byte("\n"))
		if !found {
			return nil, fmt.Errorf("no %s in the status of a thread", line)
		}
		if v := string(bytes.TrimSpace(value)); !seen[v] {
			seen[v] = true
			values = append(values, v)
		}
	}
	return values, nil
}
