package unit

import (
	"fmt"
	"strings"
)

// Automount is a mount that mount(8) makes when somebody first looks.
type Automount struct {
	Source     string // as mount(8) takes it
	Mountpoint string
	Options    []string // as mount(8) takes them, without dashes
	Title      string
	Needs      []string // paths that must be there first
	Manager    Manager
}

// Text is both units, each below its name.
func (a Automount) Text() (string, error) {
	options := make([]string, len(a.Options))
	for i, o := range a.Options {
		options[i] = o
		if strings.Contains(o, ",") {
			name, value, _ := strings.Cut(o, "=")
			options[i] = name + `="` + value + `"`
		}
		if strings.Contains(o, `"`) {
			return "", fmt.Errorf("mount option %q: a double quote can't stand in a list of mount options", o)
		}
	}
	if a.Manager == Remote {
		options = append(options, "_netdev")
	}
	list := strings.Join(options, ",")
	for _, text := range []string{a.Source, a.Mountpoint, list} {
		if !expressible(text) {
			return "", fmt.Errorf("%q can't stand in a mount unit", text)
		}
	}
	name := Escape(a.Mountpoint)
	var b strings.Builder
	b.WriteString(head(a.Manager, name+".mount", name+".automount"))
	fmt.Fprintf(&b, "[Unit]\nDescription=%s\nDocumentation=man:deployfs-mount(1)\n", title(a.Title))
	fmt.Fprintf(&b, "RequiresMountsFor=%s\n", paths(a.Needs...))
	fmt.Fprintf(&b, "\n[Mount]\nWhat=%s\nWhere=%s\nType=fuse.deployfs\n", literal(a.Source), literal(a.Mountpoint))
	if list != "" {
		fmt.Fprintf(&b, "Options=%s\n", literal(list))
	}
	b.WriteString("\n" + head(a.Manager, name+".automount"))
	fmt.Fprintf(&b, "[Unit]\nDescription=%s, when it is first looked at\nDocumentation=man:deployfs-mount(1)\n", title(a.Title))
	fmt.Fprintf(&b, "\n[Automount]\nWhere=%s\n\n[Install]\nWantedBy=%s\n", literal(a.Mountpoint), a.target())
	return b.String(), nil
}

// target is what starts the automount.
func (a Automount) target() string {
	return map[Manager]string{Local: "local-fs.target", Remote: "remote-fs.target", User: "default.target"}[a.Manager]
}
