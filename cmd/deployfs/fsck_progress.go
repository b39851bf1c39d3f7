package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/cmd/internal/cli"
)

// fsckTime is how often a line of progress is printed where there is no terminal, as
// ostree does it.
const fsckTime = time.Second

// fsckProgress tells how far a check has come: on a terminal by a line that is drawn
// again and again, elsewhere by lines on the standard output, even for who wants quiet.
type fsckProgress struct {
	f     *fscker
	drawn *cli.Progress
	lines bool // print lines
	end   chan struct{}
	done  sync.WaitGroup
	mu    sync.Mutex // who prints
	told  int64      // objects, by the last line
}

func (f *fscker) startProgress() {
	p := &fsckProgress{f: f, end: make(chan struct{}), lines: !f.inv.JSON && !stdoutIsTerminal()}
	p.drawn = cli.StartProgress(f.inv.Stderr, p.text)
	p.done.Go(p.run)
	f.progress = p
}

func stdoutIsTerminal() bool {
	_, err := unix.IoctlGetTermios(int(os.Stdout.Fd()), unix.TCGETS)
	return err == nil
}

func (p *fsckProgress) run() {
	tick := time.NewTicker(fsckTime)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.mu.Lock()
			p.tell(p.f.count.Objects.Load())
			p.mu.Unlock()
		case <-p.end:
			return
		}
	}
}

// tell prints a line, the first time about the first object.
func (p *fsckProgress) tell(n int64) {
	total := p.f.count.Total.Load()
	if p.told == 0 {
		n = 1
	}
	if !p.lines || total == 0 || n == p.told {
		return
	}
	p.told = n
	fmt.Fprintf(p.f.inv.Stdout, "fsck objects (%d/%d) %d%%\n", n, total, 100*n/total)
	p.f.inv.Stdout.Flush()
}

// text is the line on a terminal.
func (p *fsckProgress) text() string {
	n, total := p.f.count.Objects.Load(), p.f.count.Total.Load()
	if total == 0 {
		return "enumerating objects"
	}
	return fmt.Sprintf("fsck objects (%d/%d) %d%%, %s", n, total, 100*n/total, amount(p.f.count.Bytes.Load()))
}

// checked prints the line about the last object.
func (p *fsckProgress) checked() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tell(1)
	p.tell(p.f.count.Total.Load())
}

// aside prints between lines of progress.
func (p *fsckProgress) aside(print func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drawn.Aside(print)
}

// stop ends the drawing. A check that was cut off has told of the first object at least.
func (p *fsckProgress) stop() {
	close(p.end)
	p.done.Wait()
	if p.told == 0 {
		p.tell(1)
	}
	last := ""
	if p.f.count.Total.Load() > 0 {
		last = p.text()
	}
	p.drawn.Stop(last)
}
