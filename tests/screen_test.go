package tests

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// screen is a real terminal with a shell in it.
type screen struct {
	t      testing.TB
	socket string
}

// openScreen opens a terminal of tmux, in which sh waits for a command.
func openScreen(t testing.TB, width, height int) *screen {
	t.Helper()
	need(t, have("tmux"), "tmux is not installed (tests/setup.sh installs it)")
	s := &screen{t, filepath.Join(scratch(t), "tmux")}
	s.tmux("-f", "/dev/null", "new-session", "-d", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height), "PS1='$ ' exec sh")
	t.Cleanup(func() { s.tmux("kill-server") })
	s.await("$")
	return s
}

func (s *screen) tmux(args ...string) string {
	s.t.Helper()
	return must(s.t, append([]string{"tmux", "-u", "-S", s.socket}, args...)...)
}

// run types a command line.
func (s *screen) run(words ...string) {
	s.t.Helper()
	s.tmux("send-keys", "-l", strings.Join(words, " "))
	s.keys("Enter")
}

// keys presses keys, by tmux's names.
func (s *screen) keys(keys ...string) {
	s.t.Helper()
	s.tmux(append([]string{"send-keys"}, keys...)...)
}

// text is what the screen shows.
func (s *screen) text() string { s.t.Helper(); return s.tmux("capture-pane", "-p") }

// await waits until the screen shows each of texts.
func (s *screen) await(texts ...string) {
	s.t.Helper()
	seen := ""
	if !eventually(15*time.Second, func() bool {
		seen = s.text()
		for _, text := range texts {
			if !strings.Contains(seen, text) {
				return false
			}
		}
		return true
	}) {
		s.t.Fatalf("the screen never shows %q, but\n%s", texts, seen)
	}
}

// press presses keys and waits for what they bring.
func (s *screen) press(keys, wanted string) {
	s.t.Helper()
	s.keys(strings.Fields(keys)...)
	s.await(wanted)
}

// clean fails the test unless the shell has its terminal back, as it was, after a program ended with
// the status.
func (s *screen) clean(status int) {
	s.t.Helper()
	if !eventually(deadline, func() bool { return s.tmux("display-message", "-p", "#{pane_current_command}") == "sh" }) {
		s.t.Fatalf("the program does not end:\n%s", s.text())
	}
	s.run("echo status=$?; stty -a | tr ' ' '\\n' | grep -xc -e echo -e icanon -e isig")
	s.await(fmt.Sprintf("status=%d\n3\n", status))
	if state := s.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}"); state != "0 1 0" {
		s.t.Errorf("alternate screen, cursor, mouse: %s, want 0 1 0", state)
	}
}
