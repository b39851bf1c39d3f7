package objstore

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// KeyFile is a file of groups of keys in GLib's format: repository
// configuration, remotes, origins.
type KeyFile struct {
	groups []keyGroup
	index  map[string]int // of a group, by its name
}

type keyGroup struct {
	name   string
	keys   []string
	values map[string]string // by key
}

// ParseKeyFile reads a key file.
func ParseKeyFile(data []byte) (*KeyFile, error) {
	f := &KeyFile{index: map[string]int{}}
	current := -1
	for line := range strings.SplitSeq(string(data), "\n") {
		line = strings.TrimLeft(strings.TrimSuffix(line, "\r"), " \t\r\f\v")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			name, ok := strings.CutSuffix(strings.TrimRight(line, " \t"), "]")
			if !ok || !validGroup(name[1:]) {
				return nil, errKeyLine(line)
			}
			current = f.addGroup(name[1:])
		default:
			key, value, ok := strings.Cut(line, "=")
			key = strings.TrimRight(key, " \t")
			if !ok || key == "" || strings.ContainsAny(key, "[]") && !strings.HasSuffix(key, "]") {
				return nil, errKeyLine(line)
			}
			if current < 0 {
				return nil, fmt.Errorf("Key file does not start with a group")
			}
			f.groups[current].set(key, strings.TrimLeft(value, " \t"))
		}
	}
	return f, nil
}

func errKeyLine(line string) error {
	if len(line) > 200 {
		line = line[:200]
	}
	return fmt.Errorf("Key file contains line “%s” which is not a key-value pair, group, or comment", printable(line))
}

// printable replaces what would disturb a terminal.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, text)
}

func validGroup(name string) bool {
	return name != "" && !strings.ContainsAny(name, "[]") && strings.IndexFunc(name, unicode.IsControl) < 0
}

// addGroup returns the position of a group, which may be there already.
func (f *KeyFile) addGroup(name string) int {
	if i, ok := f.index[name]; ok {
		return i
	}
	f.groups = append(f.groups, keyGroup{name: name, values: map[string]string{}})
	f.index[name] = len(f.groups) - 1
	return f.index[name]
}

// set gives key a value; the last of several equal keys counts.
func (g *keyGroup) set(key, value string) {
	if _, ok := g.values[key]; !ok {
		g.keys = append(g.keys, key)
	}
	g.values[key] = value
}

// group is the group called name, or an empty one.
func (f *KeyFile) group(name string) keyGroup {
	if i, ok := f.index[name]; ok {
		return f.groups[i]
	}
	return keyGroup{}
}

// Groups lists the groups in the order of the file.
func (f *KeyFile) Groups() []string {
	names := make([]string, len(f.groups))
	for i, g := range f.groups {
		names[i] = g.name
	}
	return names
}

// HasGroup reports whether the file has the group.
func (f *KeyFile) HasGroup(group string) bool {
	_, ok := f.index[group]
	return ok
}

// Keys lists the keys of a group in the order of the file.
func (f *KeyFile) Keys(group string) []string { return slices.Clone(f.group(group).keys) }

// Raw is a value as it stands in the file.
func (f *KeyFile) Raw(group, key string) (string, bool) {
	value, ok := f.group(group).values[key]
	return value, ok
}

var keyEscapes = strings.NewReplacer(`\\`, `\`, `\s`, " ", `\n`, "\n", `\t`, "\t", `\r`, "\r")

// Get is a value with its escapes resolved.
func (f *KeyFile) Get(group, key string) (string, bool) {
	raw, ok := f.Raw(group, key)
	return keyEscapes.Replace(raw), ok
}

// Bool is a boolean value, or otherwise when the key is absent. Like GLib it
// takes true, false, 1 and 0.
func (f *KeyFile) Bool(group, key string, otherwise bool) (bool, error) {
	raw, ok := f.Get(group, key)
	if !ok {
		return otherwise, nil
	}
	switch strings.TrimSpace(raw) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, fmt.Errorf("Key file contains key “%s” which has a value that cannot be interpreted.", key)
}
