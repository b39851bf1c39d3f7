package unit

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Manager is who is to run a unit.
type Manager uint8

// The managers, and when they start the unit.
const (
	Local  Manager = iota // the system's, with the local file systems
	Remote                // the system's, with the remote ones
	User                  // a user's
)

// Service is a mount that a foreground process serves.
type Service struct {
	Program    string   // its absolute path
	Args       []string // that make it serve
	Mountpoint string
	Title      string   // what is mounted, for people
	Needs      []string // paths that must be there first
	Manager    Manager
}

// storeMax is how many descriptors the service manager keeps for the service.
const storeMax = 16

// Name is how the unit should be called.
func (s Service) Name() string { return "deployfs-" + Escape(s.Mountpoint) + ".service" }

// Text is the unit.
func (s Service) Text() string {
	var b strings.Builder
	b.WriteString(head(s.Manager, s.Name()))
	fmt.Fprintf(&b, "[Unit]\nDescription=%s\nDocumentation=man:deployfs-mount(1)\n", title(s.Title))
	// Not the mountpoint itself: what is mounted there becomes a unit, too.
	fmt.Fprintf(&b, "RequiresMountsFor=%s\n", paths(append(slices.Clone(s.Needs), path.Dir(s.Mountpoint))...))
	b.WriteString(s.order())
	fmt.Fprintf(&b, `
[Service]
# Started is what can be read. No option that gives the service a mount namespace
# of its own (ProtectSystem=, PrivateTmp=, ReadOnlyPaths=...) may be added: the
# mount would be in there. The descriptors in the store outlive the processes.
Type=notify
NotifyAccess=main
ExecStart=%s
ExecReload=%s
KillMode=mixed
Restart=on-failure
FileDescriptorStoreMax=%d

[Install]
WantedBy=%s
`, command(append([]string{s.Program}, s.Args...)...), command(s.Program, "upgrade", s.Mountpoint), storeMax, s.target())
	return b.String()
}

// head tells where a unit belongs.
func head(manager Manager, names ...string) string {
	dir, ctl := "/etc/systemd/system", "systemctl"
	if manager == User {
		dir, ctl = "~/.config/systemd/user", "systemctl --user"
	}
	last := names[len(names)-1]
	return fmt.Sprintf("# %s/%s\n# %s daemon-reload && %[3]s enable --now '%[4]s'\n", dir, names[0], ctl, last)
}

// title is text for people on one line.
func title(text string) string {
	if !expressible(text) {
		text = fmt.Sprintf("%q", text)
	}
	return literal(text)
}

// holdsSystem reports whether the system itself runs from the mount.
func (s Service) holdsSystem() bool {
	below := func(dir string) bool { return s.Mountpoint == dir || strings.HasPrefix(s.Mountpoint, dir+"/") }
	return s.Manager != User && (s.Mountpoint == "/" || below("/usr") || below("/sysroot"))
}

// order says between what the service lives. The mount is there before what comes
// with other file systems, and ends before what it needs.
func (s Service) order() string {
	switch {
	case s.holdsSystem():
		return `# The system runs from this mount: nothing stops it while the system is on its
# way down, or from the initial RAM disk to the root file system. The last line
# is of systemd 255; older ones ignore it, and kill the server at the very end.
DefaultDependencies=no
After=local-fs-pre.target
Before=` + s.target() + `
IgnoreOnIsolate=yes
SurviveFinalKillSignal=yes
`
	case s.Manager == Local:
		return "DefaultDependencies=no\nAfter=local-fs-pre.target\nBefore=local-fs.target umount.target\nConflicts=umount.target\n"
	case s.Manager == Remote:
		return "Wants=network-online.target\nAfter=network-online.target\nBefore=remote-fs.target\n"
	}
	return ""
}

// target is what starts the service.
func (s Service) target() string {
	switch {
	case s.Manager == User:
		return "default.target"
	case s.Mountpoint == "/sysroot" || strings.HasPrefix(s.Mountpoint, "/sysroot/"):
		return "initrd-root-fs.target"
	case s.Manager == Remote && !s.holdsSystem():
		return "remote-fs.target"
	}
	return "local-fs.target"
}
