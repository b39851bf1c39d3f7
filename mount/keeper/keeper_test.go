package keeper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const testVersion = 7

// life is a fake server's configuration.
type life struct {
	Start  string // how the first server of a mount fares: ready, failure, error, death, hang
	Next   string // and each of those after it
	Device string // the kept file that stands for the connection
}

// fakeServer is the life of a server that serves nothing. It answers questions
// with its process number.
func fakeServer() {
	version := testVersion
	fmt.Sscan(os.Getenv("DEPLOYFS_KEEPER_TEST_VERSION"), &version)
	s, err := Connect(version)
	if err != nil {
		os.Exit(4)
	}
	var l life
	if err := json.Unmarshal(s.Config, &l); err != nil {
		s.Fail(err)
		return
	}
	how := l.Start
	if s.Session != nil {
		how = l.Next
	}
	fare(s, how)
}

func fare(s *Server, how string) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	switch how {
	case "failure":
		s.Fail(fmt.Errorf("mount: %w", &Failure{Text: "what went wrong", Remedy: "what helps"}))
		return
	case "error":
		s.Fail(errors.New("what went wrong"))
		return
	case "death":
		os.Exit(3)
	case "crash":
		panic("the end")
	case "hang":
		<-signals
		return
	}
	if s.Waits && s.TakeOver() != nil {
		return
	}
	if s.Session == nil {
		s.Save([]byte("saved"), Place{Mountpoint: []byte("/nowhere"), Device: "0:0"}, false)
	}
	if s.Ready() != nil {
		return
	}
	go s.Obey(idle{s})
	<-signals
	s.End()
	select {}
}

// idle obeys.
type idle struct{ s *Server }

func (i idle) Status(c Counts) any {
	return map[string]any{"pid": os.Getpid(), "counts": c, "session": string(i.s.Session), "files": len(i.s.Files)}
}
func (i idle) Stop()  { os.Exit(0) }
func (i idle) Alone() { i.s.AnswerAlone(i) }

// fakeKeeper is what Launch runs.
func fakeKeeper(string) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	job := Job{Version: testVersion, Name: "test", Log: &logBuffer{}}
	if Inherits() {
		Inherit(ctx, job)
		return
	}
	config, launcher, err := Launched()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	job.Config, job.Ready = config, launcher.Tell
	Run(ctx, job)
}

// launched launches a keeper whose servers fare so, and ends it after the test.
func launched(t *testing.T, l life) (status, error) {
	t.Helper()
	private(t)
	config, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	if err := Launch(t.Context(), config, "test"); err != nil {
		return status{}, err
	}
	s := ask(t)
	t.Cleanup(func() {
		syscall.Kill(s.Counts.Keeper, syscall.SIGTERM)
		if !eventually(5*time.Second, func() bool { return syscall.Kill(s.Counts.Keeper, 0) != nil || zombie(s.Counts.Keeper) }) {
			t.Errorf("the keeper lives on")
			syscall.Kill(s.Counts.Keeper, syscall.SIGKILL)
		}
	})
	return s, nil
}

func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// status is what a fake server answers.
type status struct {
	PID     int
	Counts  Counts
	Session string
	Files   int
}

// ask returns the status of the only mount, or none when there is no answer.
func ask(t *testing.T) (s status) {
	t.Helper()
	list, err := Ask()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 1 {
		if err := json.Unmarshal(list[0], &s); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func eventually(patience time.Duration, done func() bool) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if done() {
			return true
		}
	}
	return done()
}

// TestLaunch waits for the first server's word.
func TestLaunch(t *testing.T) {
	for how, want := range map[string]struct{ err, hint string }{
		"ready":   {"", ""},
		"failure": {"mount: what went wrong", "what helps"},
		"error":   {"what went wrong", ""},
		"death":   {"the server ended before the tree could be used: exit status 3", ""},
	} {
		t.Run(how, func(t *testing.T) {
			_, err := launched(t, life{Start: how})
			var known interface{ Hint() string }
			switch {
			case want.err == "":
				if err != nil {
					t.Error(err)
				}
			case err == nil || err.Error() != want.err:
				t.Errorf("%v, want %s", err, want.err)
			case errors.As(err, &known) && known.Hint() != want.hint || known == nil && want.hint != "":
				t.Errorf("a remedy of %v, want %s", known, want.hint)
			}
		})
	}
}

// TestLaunchCancelled ends what does not come to be.
func TestLaunchCancelled(t *testing.T) {
	private(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := Launch(ctx, []byte(`{"Start":"hang"}`), "test"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("took %s", d)
	}
}

// TestKilledServer is replaced, with what it has left.
func TestKilledServer(t *testing.T) {
	first, err := launched(t, life{Start: "ready", Next: "ready"})
	if err != nil {
		t.Fatal(err)
	}
	last := first
	for i := range 3 {
		syscall.Kill(last.PID, syscall.SIGKILL)
		var s status
		if !eventually(5*time.Second, func() bool { s = ask(t); return s.PID != 0 && s.PID != last.PID }) {
			t.Fatalf("no server after death %d", i+1)
		}
		if s.Counts.Restarts != i+1 || s.Counts.Keeper != first.Counts.Keeper || s.Session != "saved" || s.Files != first.Files {
			t.Errorf("after death %d: %+v", i+1, s)
		}
		last = s
	}
}

// TestUpgrade replaces server and keeper, under the keeper's number.
func TestUpgrade(t *testing.T) {
	first, err := launched(t, life{Start: "ready", Next: "ready"})
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	for i := range 3 {
		if err := Upgrade(first.Counts.Keeper, program); err != nil {
			t.Fatal(err)
		}
		s := ask(t)
		if s.PID == first.PID || s.Counts.Upgrades != i+1 || s.Counts.Restarts != 0 || s.Session != "saved" {
			t.Errorf("after upgrade %d: %+v", i+1, s)
		}
	}
	syscall.Kill(ask(t).PID, syscall.SIGKILL)
	if !eventually(5*time.Second, func() bool { return ask(t).Counts.Restarts == 1 && ask(t).PID != 0 }) {
		t.Errorf("a death after an upgrade: %+v", ask(t))
	}
}

// TestUpgradeRefused: whatever is wrong with the new program, the old server
// goes on.
func TestUpgradeRefused(t *testing.T) {
	for how, want := range map[string]string{
		"failure": "what went wrong",
		"death":   "the new server ended",
		"script":  "exec format error",
	} {
		t.Run(how, func(t *testing.T) {
			first, err := launched(t, life{Start: "ready", Next: how})
			if err != nil {
				t.Fatal(err)
			}
			path := self
			if how == "script" {
				path = t.TempDir() + "/script"
				if err := os.WriteFile(path, []byte("no program"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			program, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer program.Close()
			if err := Upgrade(first.Counts.Keeper, program); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
			if s := ask(t); s.PID != first.PID || s.Counts != first.Counts {
				t.Errorf("%+v, was %+v", s, first)
			}
		})
	}
}

// TestKilledKeeper leaves a server that goes on.
func TestKilledKeeper(t *testing.T) {
	first, err := launched(t, life{Start: "ready", Next: "ready"})
	if err != nil {
		t.Fatal(err)
	}
	syscall.Kill(first.Counts.Keeper, syscall.SIGKILL)
	if !eventually(5*time.Second, func() bool { s := ask(t); return s.PID == first.PID && s.Counts.Keeper == 0 }) {
		t.Errorf("%+v", ask(t))
	}
	program, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if err := Upgrade(first.Counts.Keeper, program); err == nil || !strings.Contains(err.Error(), "keeper is gone") {
		t.Errorf("%v", err)
	}
	syscall.Kill(first.PID, syscall.SIGKILL)
	dir, err := RuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	left := func() []os.DirEntry { Ask(); list, _ := os.ReadDir(dir); return list } // who asks removes what is dead
	if !eventually(5*time.Second, func() bool { return len(left()) == 0 }) {
		t.Error("left behind: ", left())
	}
}

// TestLog: deaths are logged, with the last words, and pauses.
func TestLog(t *testing.T) {
	private(t)
	var log logBuffer
	ready := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- Run(ctx, Job{
			Config: []byte(`{"Start":"ready","Next":"crash"}`), Version: testVersion, Name: "/mnt", Log: &log,
			Ready: func(err error) { ready <- err },
		})
	}()
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	syscall.Kill(ask(t).PID, syscall.SIGKILL)
	if !eventually(10*time.Second, func() bool { return strings.Contains(log.String(), "in 500ms, as it is the 6.") }) {
		t.Errorf("log:\n%s", log.String())
	}
	for _, want := range []string{"/mnt: \"the server has died after ", "(signal: killed); another takes over", "(exit status 2)", "its last words: panic: the end"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in:\n%s", want, log.String())
		}
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("does not end")
	}
}

type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *logBuffer) Line(_ bool, line string) { b.Event(false, "", line) }

func (b *logBuffer) Event(_ bool, mountpoint, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintf(&b.text, "%s: %q\n", mountpoint, reason)
}

// TestMessages carry files, and are bounded.
func TestMessages(t *testing.T) {
	a, file, err := newChannel()
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	b := newEnd(int(file.Fd()))
	if err := a.send(message{Kind: kindKeep, Names: []string{"x"}, files: []*os.File{os.Stdin}}); err != nil {
		t.Fatal(err)
	}
	m, err := b.receive()
	if err != nil || m.Kind != kindKeep || len(m.files) != 1 {
		t.Fatalf("%+v, %v", m, err)
	}
	if _, err := m.named(); err != nil {
		t.Error(err)
	}
	m.Names = append(m.Names, "y")
	if _, err := m.named(); err == nil {
		t.Error("a name without a file")
	}
	for _, junk := range []string{"", "junk", "{", `{"kind":1}`, strings.Repeat("x", maxMessage+1)} {
		unix.Send(a.fd, []byte(junk), 0)
		if m, err := b.receive(); err == nil {
			t.Errorf("%.20q is %+v", junk, m)
		}
	}
	if err := a.send(message{Error: strings.Repeat("x", maxMessage)}); err == nil {
		t.Error("a message that is too long was sent")
	}
	file.Close()
	if _, err := a.receive(); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
}
