// Package unit writes units of systemd that make a mount: a service, or a mount
// and the automount that goes with it. It knows the rules by which systemd names
// units after paths, and by which it reads words.
//
// See systemd.service(5), systemd.mount(5), systemd.automount(5) and
// systemd-escape(1).
package unit
