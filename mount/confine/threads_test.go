//go:build !race

package confine

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// crowd is how many threads there are before, and how many after.
const crowd = 32

// useThreads tries from threads that were there, waiting in the kernel, and from
// new ones.
func useThreads(p place) (answers, error) {
	gate, err := newGate()
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	found := answers{}
	var all sync.WaitGroup
	attempt := func(who string) {
		for what, got := range map[string]error{
			"read outside": read(p.in("outside/file")), "raise": raise(unix.CAP_NET_ADMIN), "unshare": unix.Unshare(unix.CLONE_NEWNS),
		} {
			mu.Lock()
			found[who+": "+what] += errnoOf(got) + " "
			mu.Unlock()
		}
	}
	status, err := os.Open("/proc/self/task")
	if err != nil {
		return nil, err
	}
	defer status.Close()
	for range crowd {
		all.Go(func() {
			runtime.LockOSThread()
			gate.wait()
			attempt("old")
		})
	}
	rules := p.rules()
	rules.Read = append(rules.Read, "/proc") // for the statuses
	if _, err := Apply(rules); err != nil {
		return nil, err
	}
	for _, line := range []string{"NoNewPrivs", "Seccomp", "CapEff", "CapPrm", "CapInh", "CapAmb"} {
		values, err := statuses(line)
		if err != nil {
			return nil, err
		}
		found[line] = fmt.Sprint(values)
	}
	gate.open()
	for range crowd {
		all.Go(func() {
			runtime.LockOSThread()
			attempt("new")
		})
	}
	all.Wait()
	return found, nil
}

// gate holds threads up in a system call.
type gate struct{ out, in int }

func newGate() (gate, error) {
	var ends [2]int
	err := unix.Pipe2(ends[:], unix.O_CLOEXEC)
	return gate{ends[0], ends[1]}, err
}

func (g gate) wait() { syscall.Read(g.out, make([]byte, 1)) }
func (g gate) open() { syscall.Write(g.in, make([]byte, crowd)) }

func TestEveryThread(t *testing.T) {
	for _, uid := range users() {
		t.Run(fmt.Sprint("uid ", uid), func(t *testing.T) {
			kept := "[0000000000000000]"
			want := answers{"NoNewPrivs": "[1]", "Seccomp": "[2]", "CapEff": kept, "CapPrm": kept, "CapInh": kept, "CapAmb": kept}
			if uid == 0 {
				want["CapEff"] = fmt.Sprintf("[%016x]", 1<<unix.CAP_DAC_READ_SEARCH)
				want["CapPrm"] = want["CapEff"]
			}
			for _, who := range []string{"old", "new"} {
				for what, errno := range (answers{"read outside": "EACCES ", "raise": "EPERM ", "unshare": "EPERM "}) {
					for range crowd {
						want[who+": "+what] += errno
					}
				}
			}
			want.compare(t, newPlace(t, uid).play(t, "threads", uid))
		})
	}
}
