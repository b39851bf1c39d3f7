package explore

import (
	"context"
	"errors"
	"fmt"
	"os"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"
)

// ErrNoTerminal says that there is no terminal to fill.
var ErrNoTerminal = errors.New("explore needs a terminal")

// Run shows the program on the terminal until its user leaves it, or ctx ends. The directories where
// something is still mounted then are returned.
func Run(ctx context.Context, cfg Config) ([]string, error) {
	for _, f := range []*os.File{os.Stdin, os.Stdout} {
		if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err != nil {
			return nil, ErrNoTerminal
		}
	}
	if term := os.Getenv("TERM"); term == "" || term == "dumb" {
		return nil, fmt.Errorf("%w that can move its cursor, not TERM=%q", ErrNoTerminal, term)
	}
	m := New(cfg)
	_, err := tea.NewProgram(m, tea.WithContext(ctx), tea.WithoutSignalHandler()).Run()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return m.Mounts(), err
}
