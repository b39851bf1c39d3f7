package modify

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"deployfs/objstore/object"
)

// override is what a statoverride file says of a path: the last line of each sort.
type override struct {
	adds, sets bool // which sorts there are
	add, set   uint32
	met        bool // a file, which got what is added
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
		o := m.overrides[path]
		if set {
			o.sets, o.set = true, mode
		} else {
			o.adds, o.add = true, mode
		}
		m.overrides[path] = o
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

// applyOverride changes the mode of the file at path. As in ostree what adds bits does so
// once, to the first file of that path, which a mode to be set then is not for.
func (m *Modifier) applyOverride(path string, h *object.Header) {
	switch o := m.overrides[path]; {
	case o.adds && !o.met:
		h.Mode |= o.add
		o.met = true
		m.overrides[path] = o
	case o.sets:
		h.Mode = h.Mode&object.ModeType | o.set
	}
}
