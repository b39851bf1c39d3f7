package objstore

import (
	"fmt"
	"strings"
)

// SetKey gives a key of a key file a value, which is plain text without escapes.
// A new key goes behind the last one of its group, a new group to the end.
// Everything else stays as it is, comments too.
func SetKey(data []byte, group, key, value string) ([]byte, error) {
	if _, err := ParseKeyFile(data); err != nil {
		return nil, err
	}
	lines := strings.Split(string(data), "\n")
	at, set := -1, false // where the group's last key is, or its name
	current := ""
	for i, line := range lines {
		line = strings.TrimSpace(line)
		name, _, isKey := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			if current = line[1 : len(line)-1]; current == group && at < 0 {
				at = i
			}
		case isKey && current == group:
			at = i
			if strings.TrimSpace(name) == key {
				lines[i], set = key+"="+value, true
			}
		}
	}
	line := key + "=" + value
	switch {
	case set:
	case at < 0:
		text := strings.TrimRight(string(data), "\n")
		return fmt.Appendf(nil, "%s\n\n[%s]\n%s\n", text, group, line), nil
	default:
		lines[at] += "\n" + line
	}
	text := strings.Join(lines, "\n")
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return []byte(text), nil
}
