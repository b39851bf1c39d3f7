package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal opens a pseudo terminal: the side that a program writes to, and the
// one that shows it.
func terminal(t *testing.T) (program, screen *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminal can be made: ", err)
	}
	t.Cleanup(func() { screen.Close() })
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminal can be made: ", err)
	}
	return program, screen
}

func TestProgressOnTerminal(t *testing.T) {
	program, screen := terminal(t)
	var shown bytes.Buffer
	done := make(chan struct{})
	go func() {
		io.Copy(&shown, screen) // ends with an error when the other side is closed
		close(done)
	}()
	steps := make(chan struct{}, 100)
	p := StartProgress(program, func() string { steps <- struct{}{}; return "7 objects" })
	<-steps
	<-steps
	p.Aside(func() { fmt.Fprintln(program, "a line") })
	p.Stop("9 objects in 1 s")
	program.Close()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the terminal is not closed")
	}
	text := shown.String()
	for _, want := range []string{clearLine + "7 objects" + clearLine, clearLine + "a line\r\n", "9 objects in 1 s\r\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
}

func TestProgressFits(t *testing.T) {
	program, _ := terminal(t)
	defer program.Close()
	for _, c := range []struct {
		columns    uint16
		text, want string
	}{
		{0, "Receiving objects", "Receiving objects"}, // it doesn't know
		{10, "Receiving objects", "Receiving"},
		{10, "12\u00a0kB 34\u00a0kB", "12\u00a0kB 34\u00a0"},
		{10, "short", "short"},
		{1, "text", ""},
	} {
		if err := unix.IoctlSetWinsize(int(program.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 9, Col: c.columns}); err != nil {
			t.Fatal(err)
		}
		if got := fit(program, c.text); got != c.want {
			t.Errorf("%q in %d columns: %q, want %q", c.text, c.columns, got, c.want)
		}
	}
}

func TestProgressElsewhere(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, w := range []io.Writer{file, new(bytes.Buffer)} {
		p := StartProgress(w, func() string { t.Error("text is asked for"); return "" })
		aside := false
		p.Aside(func() { aside = true })
		p.Stop("the end")
		if buf, ok := w.(*bytes.Buffer); !aside || ok && buf.Len() > 0 {
			t.Errorf("%v, %q", aside, buf)
		}
	}
	if info, err := file.Stat(); err != nil || info.Size() > 0 {
		t.Errorf("%v, %v", info.Size(), err)
	}
}

// TestProgressTooShort: what draws no line clears none.
func TestProgressTooShort(t *testing.T) {
	program, screen := terminal(t)
	p := StartProgress(program, func() string { return "work" })
	p.Aside(func() {})
	p.Stop("")
	program.Close()
	if shown, _ := io.ReadAll(screen); len(shown) > 0 && !strings.Contains(string(shown), "work") {
		t.Errorf("%q", shown)
	}
}
