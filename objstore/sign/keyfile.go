package sign

import (
	"bytes"
	"fmt"
	"strings"
)

// lines finds keys in base64, one a line.
func lines(data []byte, _ string) (list []entry, err error) {
	number := 0
	for line := range bytes.Lines(data) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		e := entry{place: fmt.Sprintf("line %d", number)}
		if bytes.ContainsAny(line, " \t") {
			e.err = fmt.Errorf("more than a key in base64")
		} else {
			e.raw, e.err = decode(string(line))
		}
		list = append(list, e)
	}
	return list, nil
}

const (
	pemBegin = "-----BEGIN "
	pemEnd   = "-----END "
	pemDash  = "-----"
)

// blocks finds keys in PEM (RFC 7468). What is outside of blocks says nothing; a block
// with another label or without an end is an error, so that no revocation gets lost.
func blocks(data []byte, label string) (list []entry, err error) {
	var text strings.Builder
	inside, number := false, 0
	for line := range bytes.Lines(data) {
		number++
		line := string(bytes.TrimSpace(line))
		name, begins := pemLabel(line, pemBegin)
		switch {
		case !inside && begins && name != label:
			return list, fmt.Errorf("line %d: Unexpected label %q", number, name)
		case !inside && begins:
			list = append(list, entry{place: fmt.Sprintf("line %d", number)})
			inside = true
			text.Reset()
		case !inside:
		default:
			name, ends := pemLabel(line, pemEnd)
			if !ends {
				text.WriteString(line)
				continue
			}
			if name != label {
				return list[:len(list)-1], fmt.Errorf("line %d: Unmatched PEM header", number)
			}
			e := &list[len(list)-1]
			e.raw, e.err = decode(text.String())
			inside = false
		}
	}
	if inside {
		return list[:len(list)-1], fmt.Errorf("%s: PEM trailer not found", list[len(list)-1].place)
	}
	return list, nil
}

// pemLabel is what a line says that begins or ends a block.
func pemLabel(line, prefix string) (label string, ok bool) {
	rest, begins := strings.CutPrefix(line, prefix)
	label, ends := strings.CutSuffix(rest, pemDash)
	return label, begins && ends
}
