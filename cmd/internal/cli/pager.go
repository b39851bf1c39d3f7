package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"golang.org/x/sys/unix"
)

// errPagerLeft says that the pager ended before it had read everything: its user has seen enough.
var errPagerLeft = errors.New("the pager has ended")

// pager is a writer that starts a program in front of the terminal when it is first written to.
// A verb that fails before it prints anything thus has the terminal for its message.
type pager struct {
	command string
	tty     *os.File
	left    func() // called once when errPagerLeft is found out

	cmd     *exec.Cmd
	in      io.WriteCloser // of the pager, or the terminal where none could be started
	signals chan os.Signal // what a Ctrl-C meant for the pager goes to
}

// pagerCommand is the pager that the environment asks for, by git's rules; empty means none.
// A dumb terminal has one only when it is asked for.
func pagerCommand() string {
	for _, name := range []string{"DEPLOYFS_PAGER", "PAGER"} {
		if command, ok := os.LookupEnv(name); ok {
			if command == "cat" {
				return ""
			}
			return command
		}
	}
	if _, err := exec.LookPath("less"); err != nil || isDumb() {
		return ""
	}
	return "less"
}

// Write gives the pager what there is to read.
func (p *pager) Write(data []byte) (int, error) {
	if p.in == nil {
		p.start()
	}
	n, err := p.in.Write(data)
	if errors.Is(err, unix.EPIPE) {
		p.left()
		err = errPagerLeft
	}
	return n, err
}

// start starts the pager; where that fails, it says so, and the terminal takes its place.
func (p *pager) start() {
	p.in = keepOpen{p.tty}
	r, w, err := os.Pipe()
	if err == nil {
		defer r.Close()
		cmd := shellCommand(p.command)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = r, p.tty, os.Stderr
		cmd.Env = pagerEnv(os.Environ())
		if err = cmd.Start(); err == nil {
			p.cmd, p.in, p.signals = cmd, w, make(chan os.Signal, 1)
			signal.Notify(p.signals, os.Interrupt)
			return
		}
		w.Close()
	}
	fmt.Fprintf(os.Stderr, "%s starting the pager: %v\n", errorPrefix(os.Stderr), err)
}

// keepOpen is the terminal, which is not ours to close.
type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }

// shellCommand runs a command line, with a shell only where it takes one.
func shellCommand(line string) *exec.Cmd {
	if strings.ContainsAny(line, "|&;<>()$`\\\"' \t\n*?[#~=%") {
		return exec.Command("/bin/sh", "-c", line)
	}
	return exec.Command(line)
}

// pagerEnv makes less and lv show colours, and less end by itself when all fits on the screen,
// unless their user has said something else.
func pagerEnv(env []string) []string {
	for _, preset := range []string{"LESS=FRX", "LV=-c"} {
		name, _, _ := strings.Cut(preset, "=")
		if _, ok := os.LookupEnv(name); !ok {
			env = append(env, preset)
		}
	}
	return env
}

// Close lets the pager know that there is no more, and waits until its user leaves it. Until then
// an interrupt is the pager's: a program that ended now would share the terminal with it.
func (p *pager) Close() error {
	if p.cmd == nil {
		return nil
	}
	p.in.Close()
	err := p.cmd.Wait()
	signal.Stop(p.signals)
	if code := p.cmd.ProcessState.ExitCode(); code == 126 || code == 127 { // a shell's words for "could not run it"
		return fmt.Errorf("pager %q: %w", p.command, err)
	}
	return nil
}
