package objstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// keyLine is a line of a key file: a key, the name of a group, or neither.
type keyLine struct {
	text  string // without its end
	group string // that it is in, or names
	key   string // "" when it is none
	head  bool   // it names the group
}

// keyLines is a key file line by line, without empty ones at its end.
func keyLines(data []byte) ([]keyLine, error) {
	if _, err := ParseKeyFile(data); err != nil {
		return nil, err
	}
	var lines []keyLine
	group := ""
	for text := range strings.SplitSeq(strings.TrimRight(string(data), "\n"), "\n") {
		line := keyLine{text: text}
		word := strings.TrimSpace(text)
		switch {
		case word == "" || word[0] == '#':
		case word[0] == '[':
			group, line.head = word[1:len(word)-1], true
		default:
			key, _, _ := strings.Cut(word, "=")
			line.key = strings.TrimSpace(key)
		}
		line.group = group
		lines = append(lines, line)
	}
	return lines, nil
}

// joinLines is the opposite of keyLines.
func joinLines(lines []keyLine) []byte {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(line.text + "\n")
	}
	return []byte(b.String())
}

// SetKey gives a key of a key file a value, as [KeyText] or [KeyList] writes it.
// A new key goes behind the last one of its group, a new group to the end.
// Everything else stays as it is, comments too.
func SetKey(data []byte, group, key, value string) ([]byte, error) {
	lines, err := keyLines(data)
	if err == nil {
		err = checkKey(group, key, value)
	}
	if err != nil {
		return nil, err
	}
	at, set := -1, false // where the group's last key is, or its name
	for i := range lines {
		line := &lines[i]
		switch {
		case line.group != group:
		case line.key == key:
			line.text, at, set = key+"="+value, i, true
		case line.key != "" || line.head && at < 0:
			at = i
		}
	}
	added := []keyLine{{text: key + "=" + value}}
	if at < 0 {
		added = []keyLine{{}, {text: "[" + group + "]"}, added[0]}
		if len(data) == 0 {
			added, lines = added[1:], nil
		}
		at = len(lines) - 1
	}
	if !set {
		lines = slices.Insert(lines, at+1, added...)
	}
	return joinLines(lines), nil
}

// UnsetKey takes a key out of a key file, which may lack it.
func UnsetKey(data []byte, group, key string) ([]byte, error) {
	lines, err := keyLines(data)
	if err != nil {
		return nil, err
	}
	return joinLines(slices.DeleteFunc(lines, func(l keyLine) bool { return l.key != "" && l.group == group && l.key == key })), nil
}

// RemoveGroup takes a group out of a key file, which may lack it, with all that
// stands below its name. A comment right above the next group's name stays.
func RemoveGroup(data []byte, group string) ([]byte, error) {
	lines, err := keyLines(data)
	if err != nil {
		return nil, err
	}
	next := group // of the line behind, when there is nothing but a comment between
	for i, line := range slices.Backward(lines) {
		switch comment := strings.HasPrefix(strings.TrimSpace(line.text), "#"); {
		case line.head:
			next = line.group
		case comment && next != group:
			lines[i].group = next
		default:
			next = line.group
		}
	}
	left := slices.DeleteFunc(slices.Clone(lines), func(l keyLine) bool { return l.group == group && group != "" })
	text := strings.TrimRight(string(joinLines(left)), "\n")
	switch {
	case len(left) == len(lines):
		return data, nil
	case text == "":
		return nil, nil
	}
	return []byte(text + "\n"), nil
}

// checkKey refuses what would not be read back.
func checkKey(group, key, value string) error {
	switch {
	case !utf8.ValidString(group + key + value):
		return errors.New("Invalid UTF-8")
	case !validGroup(group):
		return fmt.Errorf("Invalid group name: %s", printable(group))
	case key == "" || key[0] == '#' || strings.TrimSpace(key) != key || strings.ContainsAny(key, "=[]\r\n"):
		return fmt.Errorf("Invalid key name: %s", printable(key))
	case strings.ContainsAny(value, "\r\n"):
		return fmt.Errorf("value of %s: more than a line", key)
	}
	return nil
}

// KeyText is text as the value of a key: with the escapes that GLib writes.
func KeyText(text string) string { return escapeKey(text, false) }

// KeyList is a list as the value of a key: each item ends with a semicolon.
func KeyList(items []string) string {
	var b strings.Builder
	for _, item := range items {
		b.WriteString(escapeKey(item, true) + ";")
	}
	return b.String()
}

// escapeKey escapes the blanks that begin text, and what a line can't hold.
func escapeKey(text string, inList bool) string {
	var b strings.Builder
	leading := true
	for i := range len(text) {
		c := text[i]
		escape := map[byte]string{'\n': `\n`, '\r': `\r`, '\\': `\\`}[c]
		switch {
		case leading && c == ' ':
			escape = `\s`
		case leading && c == '\t':
			escape = `\t`
		case inList && c == ';':
			escape = `\;`
		}
		leading = leading && strings.IndexByte(" \t\n\r", c) >= 0 || inList && c == ';'
		if escape == "" {
			escape = text[i : i+1]
		}
		b.WriteString(escape)
	}
	return b.String()
}
