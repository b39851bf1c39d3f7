package confine

import (
	"syscall"
	"time"
)

// everyThread makes a system call in every thread, those to come included. It
// must have the same result in each.
//
//go:uintptrescapes
func everyThread(call, a1, a2, a3 uintptr) error {
	if _, _, errno := syscall.AllThreadsSyscall6(call, a1, a2, a3, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// watch bounds how long everyThread takes, until the returned function is
// called. It stops all goroutines, and Go 1.26 then overlooks a thread that is
// just entering a system call. The runtime's monitor finds that one; but it
// sleeps until the next timer is due, which without these may be a minute.
func watch() (end func()) {
	const every = 5 * time.Millisecond
	timers := make([]*time.Timer, 200)
	for i := range timers {
		timers[i] = time.AfterFunc(time.Duration(i+1)*every, func() {})
	}
	return func() {
		for _, t := range timers {
			t.Stop()
		}
	}
}
