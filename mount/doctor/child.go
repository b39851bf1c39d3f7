package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// said is what a child says: an answer, or why there is none.
type said struct {
	Answer json.RawMessage `json:"answer,omitempty"`
	Error  string          `json:"error,omitempty"`
	Hint   string          `json:"hint,omitempty"`
}

// failure is an error of a child.
type failure struct{ text, remedy string }

func (f *failure) Error() string { return f.text }
func (f *failure) Hint() string  { return f.remedy }

// child runs a probe in a mount namespace of its own and decodes its answer. It
// tells whether that took a user namespace, too.
func (m *machine) child(ctx context.Context, answer any, name string, files ...*os.File) (own bool, err error) {
	attr := &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	err = m.run(ctx, attr, answer, name, files)
	if !errors.Is(err, unix.EPERM) {
		return false, err
	}
	return true, m.run(ctx, ownNamespace(), answer, name, files)
}

// ownNamespace makes this user root in a user namespace, and so one who mounts.
func ownNamespace() *syscall.SysProcAttr {
	only := func(id int) []syscall.SysProcIDMap { return []syscall.SysProcIDMap{{HostID: id, Size: 1}} }
	return &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER, Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL,
		UidMappings: only(os.Geteuid()), GidMappings: only(os.Getegid()),
	}
}

// run starts a child, and ends it when its time is up.
func (m *machine) run(ctx context.Context, attr *syscall.SysProcAttr, answer any, name string, files []*os.File) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, m.Child[0], append(m.Child[1:len(m.Child):len(m.Child)], name)...)
	cmd.SysProcAttr = attr
	cmd.ExtraFiles = files
	cmd.WaitDelay = time.Second
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return errSilence
	case err != nil:
		return fmt.Errorf("%w %.100s", err, strconv.Quote(errOut.String()))
	}
	return decode(out.Bytes(), answer)
}

// decode reads what a child said.
func decode(out []byte, answer any) error {
	var s said
	if err := json.Unmarshal(out, &s); err != nil {
		return fmt.Errorf("answer of the child process: %w", err)
	}
	if s.Error != "" {
		return &failure{s.Error, s.Hint}
	}
	return json.Unmarshal(s.Answer, answer)
}

// childCommand is this child's command line with another probe.
func childCommand(name string) *exec.Cmd {
	last := len(os.Args) - 1
	return exec.Command("/proc/self/exe", append(os.Args[1:last:last], name)...)
}

// probes are what a child can do. What it does it says in JSON.
var probes = map[string]func() (any, error){
	"fuse":      probeFuse,
	"overlay":   probeOverlay,
	"beneath":   probeBeneath,
	"namespace": func() (any, error) { return true, nil },
}

// Probe is the child's side: it does what args name and writes the answer to w.
// It must have mount namespace and process to itself.
func Probe(args []string, w io.Writer) error {
	if len(args) != 1 || probes[args[0]] == nil {
		return errors.New("not a probe")
	}
	var s said
	answer, err := probes[args[0]]()
	if err == nil {
		s.Answer, err = json.Marshal(answer)
	}
	if err != nil {
		s.Error = err.Error()
		if h := hinter(nil); errors.As(err, &h) {
			s.Hint = h.Hint()
		}
	}
	return json.NewEncoder(w).Encode(s)
}
