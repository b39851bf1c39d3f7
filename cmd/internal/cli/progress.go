package cli

import (
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// progressTime is how often a line of progress is drawn.
const progressTime = 100 * time.Millisecond

// Progress is a line on a terminal that tells how far long work has come.
type Progress struct {
	w    io.Writer
	text func() string
	stop chan struct{}
	done sync.WaitGroup

	mu    sync.Mutex // who writes to the terminal
	drawn bool       // there is a line
}

// StartProgress draws what text returns, again and again, until Stop is called.
// When w is no terminal, it is silent.
func StartProgress(w io.Writer, text func() string) *Progress {
	p := &Progress{w: w, text: text, stop: make(chan struct{})}
	if isTerminal(w) {
		p.done.Go(p.run)
	}
	return p
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

func (p *Progress) run() {
	tick := time.NewTicker(progressTime)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.mu.Lock()
			p.drawn = true
			io.WriteString(p.w, clearLine+fit(p.w, p.text()))
			p.mu.Unlock()
		case <-p.stop:
			return
		}
	}
}

// fit cuts text to what a terminal shows on one line: a line that goes on below is not cleared.
func fit(terminal io.Writer, text string) string {
	f, ok := terminal.(*os.File)
	if !ok {
		return text
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 {
		return text
	}
	runes, most := []rune(text), int(size.Col)-1
	return string(runes[:min(len(runes), most)])
}

const clearLine = "\r\x1b[K"

// Aside takes the line away and lets print write to the same terminal.
func (p *Progress) Aside(print func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	print()
}

// clear takes the line away, if there is one.
func (p *Progress) clear() {
	if p.drawn {
		io.WriteString(p.w, clearLine)
		p.drawn = false
	}
}

// Stop ends the drawing and leaves last in the line's place, or nothing when it is empty.
func (p *Progress) Stop(last string) {
	close(p.stop)
	p.done.Wait()
	p.clear()
	if last != "" && isTerminal(p.w) {
		io.WriteString(p.w, last+"\n")
	}
}
