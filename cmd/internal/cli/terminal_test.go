package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pagerEnvName makes the test program run pagerProgram with its arguments instead of tests.
const pagerEnvName = "DEPLOYFS_TEST_PAGER_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(pagerEnvName) != "" {
		p := pagerProgram()
		p.Terse = os.Getenv("TERSE") != ""
		os.Exit(p.Main(os.Args))
	}
	os.Exit(m.Run())
}

// pagerProgram has verbs that page, and print in different ways.
func pagerProgram() *Program {
	lines := func(ctx context.Context, inv *Invocation) (err error) {
		for n := 1; n <= 2000 && err == nil; n++ {
			_, err = fmt.Fprintln(inv.Stdout, "line", n)
		}
		return err
	}
	runs := map[string]func(context.Context, *Invocation) error{
		"brief": func(_ context.Context, inv *Invocation) error {
			_, err := fmt.Fprintln(inv.Stdout, "brief")
			return err
		},
		"long": lines,
		"fail": func(context.Context, *Invocation) error { return errors.New("failed at once") },
		"late": func(ctx context.Context, inv *Invocation) error {
			return errors.Join(lines(ctx, inv), errors.New("failed late"))
		},
		"note": func(_ context.Context, inv *Invocation) error {
			inv.Note("note \x1b")
			_, err := fmt.Fprintln(inv.Stdout, "text")
			return err
		},
		"colour": func(_ context.Context, inv *Invocation) error {
			_, err := fmt.Fprintln(inv.Stdout, inv.Paint(Added, "new"))
			return err
		},
		"deaf": func(ctx context.Context, inv *Invocation) error { // looks at no error of what it prints
			for ctx.Err() == nil {
				fmt.Fprintln(inv.Stdout, "again")
			}
			return ctx.Err()
		},
	}
	p := &Program{Name: "prog"}
	for name, run := range runs {
		p.Verbs = append(p.Verbs, Verb{Name: name, Ours: true, NoRepo: true, Pager: true, Run: run})
	}
	return p
}

// console is a process on a terminal of its own.
type console struct {
	t      *testing.T
	master *os.File
	slave  *os.File
	cmd    *exec.Cmd

	mu     sync.Mutex
	screen strings.Builder
	closed chan struct{}
}

// openConsole runs pagerProgram on a new terminal, with env on top of a clean environment.
func openConsole(t *testing.T, env []string, args ...string) *console {
	t.Helper()
	slave, master := terminal(t)
	unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80})
	c := &console{t: t, master: master, slave: slave, cmd: exec.Command("/proc/self/exe", args...), closed: make(chan struct{})}
	c.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TERM=xterm", pagerEnvName + "=1", "GORACE=atexit_sleep_ms=0"}, env...)
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = slave, slave, slave
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go c.read()
	return c
}

func (c *console) read() {
	defer close(c.closed)
	buf := make([]byte, 4096)
	for {
		n, err := c.master.Read(buf)
		c.mu.Lock()
		c.screen.Write(buf[:n])
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// await waits until text has been printed.
func (c *console) await(text string) {
	c.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		c.mu.Lock()
		found := strings.Contains(c.screen.String(), text)
		c.mu.Unlock()
		if found {
			return
		}
	}
	c.t.Fatalf("the terminal never shows %q", text)
}

// end waits for the process and returns what the terminal got, and the exit status. It fails the
// test when the terminal is left in another state than a shell's.
func (c *console) end() (string, int) {
	c.t.Helper()
	kill := time.AfterFunc(10*time.Second, func() { c.cmd.Process.Kill() })
	c.cmd.Wait()
	if !kill.Stop() {
		c.t.Error("not done after 10 s")
	}
	state, err := unix.IoctlGetTermios(int(c.slave.Fd()), unix.TCGETS)
	if err != nil || state.Lflag&(unix.ECHO|unix.ICANON) != unix.ECHO|unix.ICANON {
		c.t.Errorf("the terminal is left without echo or lines: %v", err)
	}
	c.slave.Close()
	select {
	case <-c.closed:
	case <-time.After(10 * time.Second):
		c.t.Fatal("somebody still holds the terminal open")
	}
	return strings.ReplaceAll(c.screen.String(), "\r\n", "\n"), c.cmd.ProcessState.ExitCode()
}

// TestPager holds what happens between a verb and its pager.
func TestPager(t *testing.T) {
	all := func() string {
		var b strings.Builder
		for n := 1; n <= 2000; n++ {
			fmt.Fprintln(&b, "line", n)
		}
		return b.String()
	}()
	const red = "\x1b[1;31merror:\x1b[0m "
	for name, c := range map[string]struct {
		env  []string
		args []string
		want string
		code int
	}{
		"all goes through it":      {[]string{"PAGER=tail -n1"}, []string{"long"}, "line 2000\n", 0},
		"a program without words":  {[]string{"PAGER=tac"}, []string{"brief"}, "brief\n", 0},
		"ours comes first":         {[]string{"PAGER=false", "DEPLOYFS_PAGER=wc -l"}, []string{"long"}, "2000\n", 0},
		"cat is none":              {[]string{"PAGER=cat"}, []string{"long"}, all, 0},
		"empty is none":            {[]string{"PAGER=wc", "DEPLOYFS_PAGER="}, []string{"brief"}, "brief\n", 0},
		"not when told":            {[]string{"PAGER=wc"}, []string{"--no-pager", "brief"}, "brief\n", 0},
		"no less for dumb ones":    {[]string{"TERM=dumb"}, []string{"long"}, all, 0},
		"settings of less and lv":  {[]string{"PAGER=cat >/dev/null; echo $LESS $LV"}, []string{"brief"}, "FRX -c\n", 0},
		"settings of the user":     {[]string{"PAGER=cat >/dev/null; echo $LESS $LV", "LESS=S", "LV="}, []string{"brief"}, "S\n", 0},
		"left early":               {[]string{"PAGER=head -n1"}, []string{"long"}, "line 1\n", 0},
		"left early by the deaf":   {[]string{"PAGER=head -n1"}, []string{"deaf"}, "again\n", 0},
		"its status is not ours":   {[]string{"PAGER=cat; exit 3"}, []string{"brief"}, "brief\n", 0},
		"a failure without output": {[]string{"PAGER=echo never #"}, []string{"fail"}, red + "failed at once\n", 1},
		"a failure after output":   {[]string{"PAGER=tail -n1"}, []string{"late"}, "line 2000\n" + red + "failed late\n", 1},
		"no such program":          {[]string{"PAGER=/nowhere/pager"}, []string{"brief"}, red + "starting the pager: fork/exec /nowhere/pager: no such file or directory\nbrief\n", 0},
		"no such program in a shell": {[]string{"PAGER=/nowhere/pager -x"}, []string{"long"},
			"/bin/sh: 1: /nowhere/pager: not found\n" + red + "pager \"/nowhere/pager -x\": exit status 127\n", 1},
		"a note follows":        {[]string{"PAGER=cat; sleep 0.1; echo end"}, []string{"note"}, "text\nend\nnote ^[\n", 0},
		"colours":               {[]string{"PAGER=cat -v"}, []string{"colour"}, "^[[32mnew^[[m\n", 0},
		"colours without":       {[]string{"PAGER="}, []string{"colour"}, "\x1b[32mnew\x1b[m\n", 0},
		"no colours":            {[]string{"PAGER=", "NO_COLOR=1"}, []string{"colour"}, "new\n", 0},
		"no colours for dumb":   {[]string{"PAGER=", "TERM=dumb"}, []string{"colour"}, "new\n", 0},
		"none in ostree's form": {[]string{"PAGER=wc", "TERSE=1"}, []string{"colour"}, "new\n", 0},
		"plain errors":          {[]string{"NO_COLOR=1"}, []string{"fail"}, "error: failed at once\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, code := openConsole(t, c.env, c.args...).end()
			if out != c.want || code != c.code {
				t.Errorf("exit %d, want %d\n got %q\nwant %q", code, c.code, out, c.want)
			}
		})
	}
}

// TestPipeline holds that there is neither pager nor colour without a terminal.
func TestPipeline(t *testing.T) {
	cmd := exec.Command("/proc/self/exe", "colour")
	cmd.Env = append(os.Environ(), pagerEnvName+"=1", "PAGER=echo never #", "TERM=xterm")
	if out, err := cmd.Output(); err != nil || string(out) != "new\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// TestShortText holds that less ends by itself when all fits on the screen.
func TestShortText(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("less"); err != nil {
		t.Skip(err)
	}
	if out, code := openConsole(t, []string{"PAGER=less"}, "brief").end(); code != 0 || !strings.Contains(out, "brief") {
		t.Errorf("exit %d, %q", code, out)
	}
}

// TestInterruptedPager holds that Ctrl-C, however often, leaves the terminal to less until its user quits.
func TestInterruptedPager(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("less"); err != nil {
		t.Skip(err)
	}
	c := openConsole(t, nil, "deaf")
	c.await("again")
	for range 3 {
		io.WriteString(c.master, "\x03")
		time.Sleep(20 * time.Millisecond)
	}
	if c.cmd.ProcessState != nil || syscall.Kill(c.cmd.Process.Pid, 0) != nil {
		t.Error("ended while less was there")
	}
	io.WriteString(c.master, "q")
	if _, code := c.end(); code != 130 && code != 0 { // 0: the verb was waiting for less when it ended
		t.Errorf("exit %d", code)
	}
}
