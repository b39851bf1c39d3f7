// Package confine takes away from a process what it will not need any more.
//
// A server that answers for others' files reads what strangers have written. If
// one of them finds a hole in it, what it may do then should be little: read the
// repository, write to a cache, and no more. [Apply] is called once, when all is
// opened that later can't be. What it takes is gone for good, for every thread
// and every child, and whatever the program is made to do.
//
// # What is taken
//
//   - privileges to be gained: setuid bits and file capabilities count no more
//     (no_new_privs)
//   - capabilities, but those that are kept, from every set
//   - files: with Landlock, all but those that the [Rules] name; it also ends TCP but
//     to ports that are kept, and from Linux 6.12 on abstract Unix sockets and signals
//     to others
//   - system calls, with seccomp: see the table of denied ones, which also end
//     changes of modes, owners and attributes of files; sockets, connections and
//     namespaces to be made, and new executable memory
//   - core dumps, which would hold what was read
//
// The kernel decides how much of that there is: [Report] tells.
//
// # What is not
//
// Files that are open stay as they are, and so do connections: the system's log is
// written to until it closes its end. stat(2) and readlink(2) are not restricted.
// The number of processes is not limited: the limit counts all processes of the
// user, so that others' would end this one. Nor is the size of files, as a signal
// would end the process that reaches it.
package confine

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrThreads says that threads can't be reached: the program was linked with
// cgo, which makes some that the Go runtime does not know.
var ErrThreads = errors.New("confinement needs a program that was built without cgo")

// Rules are what a process keeps. Paths that can't be opened are left out; what is
// meant is what is there when Apply is called, under whatever name later. What
// may be written is not looked for behind a symbolic link.
type Rules struct {
	Read         []string // files, and directories with all below: read and list
	Write        []string // the same, and write, make, rename, link and remove what is below
	Remove       []string // directories in which files may be removed
	Execute      string   // a program that may be run, "" is none
	Capabilities []int    // CAP_* that are kept, of those that the process has
	Connect      bool     // connect to Unix sockets
	Ports        []uint16 // of TCP that may be connected to; with any, UDP is open, too, and Connect does not count
	OpenFiles    uint64   // bound of open files, if there was no lower one; 0 sets none
}

// Report is what was taken, beside what every kernel takes: privileges to be
// gained, and core dumps.
type Report struct {
	Landlock     int  // version of the kernel's Landlock that was used, 0 is none
	Capabilities bool // all are gone that were not to be kept
	Seccomp      bool
}

// String names the parts, such as "landlock(7) caps seccomp", or "none".
func (r Report) String() string {
	var parts []string
	if r.Landlock > 0 {
		parts = append(parts, fmt.Sprintf("landlock(%d)", r.Landlock))
	}
	if r.Capabilities {
		parts = append(parts, "caps")
	}
	if r.Seccomp {
		parts = append(parts, "seccomp")
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, " ")
}

// Apply leaves this process, with all its threads, what rules say. What the
// kernel does not know is left out. A part that fails does not keep the others
// from being taken; after ErrThreads nothing is.
func Apply(rules Rules) (Report, error) { return apply(rules, landlockVersion()) }

func apply(rules Rules, version int) (done Report, err error) {
	defer watch()()
	if err := everyThread(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0); err != nil {
		if err == unix.ENOTSUP {
			return done, ErrThreads
		}
		return done, fmt.Errorf("no_new_privs: %w", err)
	}
	errs := []error{limit(rules.OpenFiles)}
	if done.Landlock, err = restrictFiles(&rules, version); err != nil {
		errs = append(errs, fmt.Errorf("landlock: %w", err))
	}
	if err := dropCapabilities(rules.Capabilities); err != nil {
		errs = append(errs, fmt.Errorf("capabilities: %w", err))
	} else {
		done.Capabilities = true
	}
	if done.Seccomp, err = denyCalls(&rules); err != nil {
		errs = append(errs, fmt.Errorf("seccomp: %w", err))
	}
	return done, errors.Join(errs...)
}
