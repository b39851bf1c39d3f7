package keeper

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Where a service manager has a descriptor store, it gets what the keeper holds,
// and gives it to the next keeper when this one dies: see sd_notify(3).

// firstStored is the first descriptor that comes from the store.
const firstStored = 3

// store puts a file into the store, instead of what is there under that name.
func (k *keeper) store(name string, file *os.File) {
	if name == controlName {
		return // of this process alone
	}
	k.manager("FDSTOREREMOVE=1\nFDNAME=" + name)
	k.manager("FDSTORE=1\nFDPOLL=0\nFDNAME="+name, file) // not polled: see turn
}

// unstore empties the store.
func (k *keeper) unstore() {
	for name := range k.files {
		k.manager("FDSTOREREMOVE=1\nFDNAME=" + name)
	}
	k.manager("FDSTOREREMOVE=1\nFDNAME=" + stateName)
}

// stored takes over what came from the store.
func stored() map[string]*os.File {
	defer os.Unsetenv("LISTEN_PID")
	count, _ := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) || count == 0 {
		return nil
	}
	names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	files := map[string]*os.File{}
	for i := range min(count, len(names)) {
		unix.CloseOnExec(firstStored + i)
		files[names[i]] = os.NewFile(uintptr(firstStored+i), names[i])
	}
	return files
}

// recover goes on with a mount whose keeper has died, if that left one.
func (k *keeper) recover() bool {
	files := stored()
	state := files[stateName]
	delete(files, stateName)
	k.kept = &kept{state: state, files: files}
	if state == nil || files[Device] == nil || k.load() != nil || k.Session == nil {
		k.giveUp(state)
		return false
	}
	if k.lookWhetherGone(); k.gone {
		k.gone = false
		k.giveUp(state)
		return false
	}
	k.endServer()
	os.Remove(k.Path)
	return true
}

// giveUp lets go of what came from the store, and empties it.
func (k *keeper) giveUp(state *os.File) {
	k.Foreground = true // or there were no store
	k.unstore()
	for _, file := range k.files {
		file.Close()
	}
	if state != nil {
		state.Close()
	}
}

// endServer ends the server that the dead keeper has left behind: two must not
// answer at the same time.
func (k *keeper) endServer() {
	if k.Server == 0 || verbOf(k.Server) != ServerVerb {
		return
	}
	pidfd, err := unix.PidfdOpen(k.Server, 0)
	if err != nil {
		return
	}
	defer unix.Close(pidfd)
	if verbOf(k.Server) != ServerVerb { // it is another process by now
		return
	}
	unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for end := time.Now().Add(stopTime); time.Now().Before(end); {
		if _, err := unix.Poll(fds, int(stopTime.Milliseconds())); !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// verbOf is the verb that a process was run with.
func verbOf(pid int) string {
	line, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if args := strings.Split(string(line), "\x00"); len(args) > 1 && args[0] == "deployfs" {
		return args[1]
	}
	return ""
}
