package doctor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Versions of systemd.
const (
	storeSince    = 219 // has the descriptor store
	preserveSince = 254 // keeps it over a restart by hand
)

// descriptorStore tells whether a service manager can hold descriptors.
func (m *machine) descriptorStore(ctx context.Context) Finding {
	const missing = "a second holder of the connection; the keeper holds it alone"
	if info, err := os.Stat("/run/systemd/system"); err != nil || !info.IsDir() {
		return no("systemd does not run", missing, "")
	}
	out, err := exec.CommandContext(ctx, "systemctl", "--version").Output()
	var n int
	if err == nil {
		_, err = fmt.Sscanf(string(out), "systemd %d", &n)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	switch {
	case err != nil:
		return partly(fmt.Sprintf("systemd runs, but `systemctl --version` fails: %v", err), "its version", "")
	case n < storeSince:
		return no(first, missing, fmt.Sprintf("systemd %d", storeSince))
	case n < preserveSince:
		return partly(first, fmt.Sprintf("a store that outlives a stop, of systemd %d", preserveSince), "")
	}
	return yes(first)
}
