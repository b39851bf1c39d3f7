package main

import (
	"fmt"
	"slices"
	"strings"

	"deployfs/mount"
	"deployfs/mount/daemon"
)

// settled are options of mount(8) that say nothing here: it has acted on them itself, or they are
// about writing and about devices, which a commit has not.
var settled = strings.Fields(`defaults auto noauto nofail fail _netdev user nouser users nousers group nogroup owner noowner
	comment dev nodev sync async dirsync atime noatime diratime nodiratime relatime norelatime strictatime nostrictatime
	lazytime nolazytime iversion noiversion mand nomand silent loud`)

// notForHelper are options of the verb mount that make no sense in a list of mount options.
var notForHelper = []string{"foreground", "print-unit", "automount"}

// translate turns the mount options into those of the verb mount, which have the same names. As for
// the kernel, the last one counts of two that contradict each other.
func (h *helper) translate() ([]string, error) {
	all, err := mount.SplitOptions(strings.Join(h.options, ","))
	if err != nil {
		return nil, err
	}
	var args []string
	var nosuid, noexec, readOnly, overlay bool
	for _, o := range all {
		switch o.Name {
		case "suid", "nosuid":
			nosuid = o.Name == "nosuid"
		case "exec", "noexec":
			noexec = o.Name == "noexec"
		case "ro", "rw":
			readOnly = o.Name == "ro"
		default:
			if args, err = h.add(args, o); err != nil {
				return nil, err
			}
			overlay = overlay || o.Name == "overlay"
		}
	}
	if nosuid {
		args = append(args, "--nosuid")
	}
	if noexec {
		args = append(args, "--noexec")
	}
	if readOnly && overlay {
		return nil, &daemon.Failure{Text: "mount options ro and overlay exclude each other", Remedy: "an overlay is for writing; leave one of them out"}
	}
	return args, nil
}

// add appends the option of the verb that o means, if it means one.
func (h *helper) add(args []string, o mount.FstabOption) ([]string, error) {
	if slices.Contains(settled, o.Name) || strings.HasPrefix(o.Name, "x-") || strings.HasPrefix(o.Name, "X-") {
		return args, nil
	}
	name := strings.ReplaceAll(o.Name, "_", "-")
	for _, option := range mountVerb().Options {
		switch {
		case option.Name != name || slices.Contains(notForHelper, name):
		case option.NoArg && o.Given:
			return nil, fmt.Errorf("mount option %s takes no value", daemon.Line(o.Name))
		case !option.NoArg && !o.Given:
			return nil, fmt.Errorf("mount option %s needs a value", daemon.Line(o.Name))
		case option.NoArg:
			return append(args, "--"+name), nil
		default:
			return append(args, "--"+name+"="+o.Value), nil
		}
	}
	switch {
	case o.Name == "remount" || o.Name == "bind" || o.Name == "move":
		return nil, &daemon.Failure{Text: "mount option " + o.Name + " does not work here", Remedy: "unmount it, then mount it as it should be"}
	case h.sloppy:
		return args, nil
	}
	return nil, &daemon.Failure{Text: fmt.Sprintf("mount option %s is not known", daemon.Line(o.Name)),
		Remedy: "deployfs-mount(1) has the options; mount -s ignores those that are unknown"}
}
