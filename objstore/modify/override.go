package modify

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"deployfs/objstore/object"
)

// override is a line of a statoverride file.
type override struct {
	mode uint32
	set  bool // else mode is added
	met  bool
}

// AddStatOverrides reads a statoverride file: lines of a mode, one blank and a path.
// The mode is a decimal number, of which the bits are added to the file's; with "="
// before it they take the place of all but the type.
func (m *Modifier) AddStatOverrides(text string) error {
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" {
			continue
		}
		number, path, ok := strings.Cut(line, " ")
		if !ok {
			return errors.New("Malformed statoverride file (no space found)")
		}
		number, set := strings.CutPrefix(number, "=")
		mode, err := parseMode(number)
		if err != nil {
			return err
		}
		if m.overrides == nil {
			m.overrides = make(map[string]override)
		}
		m.overrides[path] = override{mode: mode, set: set}
	}
	return nil
}

// parseMode reads a mode as strtod(3) reads it, where that gives one.
func parseMode(text string) (uint32, error) {
	digits := text
	if strings.HasPrefix(strings.TrimLeft(text, "+-"), "0x") && !strings.Contains(text, "p") {
		digits += "p0" // without which Go takes no hexadecimal number for a float
	}
	mode, err := strconv.ParseFloat(digits, 64)
	if err != nil || mode != float64(uint32(mode)) || uint32(mode)&^(object.ModeType|permissions) != 0 {
		return 0, fmt.Errorf("Malformed statoverride file (%q is not a decimal mode)", text)
	}
	return uint32(mode), nil
}

// applyOverride changes the mode of the file at path. What adds bits does so once:
// to the first file of that path.
func (m *Modifier) applyOverride(path string, h *object.Header) {
	o, ok := m.overrides[path]
	switch {
	case !ok || o.met && !o.set:
		return
	case o.set:
		h.Mode = h.Mode&object.ModeType | o.mode
	default:
		h.Mode |= o.mode
	}
	o.met = true
	m.overrides[path] = o
}
