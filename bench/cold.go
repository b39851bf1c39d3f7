package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// What dropCaches drops.
const (
	dropInodes = "2" // dentries and inodes without pages
	dropAll    = "3" // pages, too
)

// dropCaches makes the whole machine forget what it read from disks, FUSE mounts among them.
func dropCaches(what string) error {
	unix.Sync()
	return os.WriteFile("/proc/sys/vm/drop_caches", []byte(what), 0)
}
