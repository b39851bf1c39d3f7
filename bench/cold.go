package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// What dropCaches drops.
const (
	dropInodes = "2" // dentries and inodes without pages
	dropAll    = "3" // pages, too
)

// ownDrops counts what dropCaches did.
var ownDrops int

// forgetTime is how long servers get to work off what the kernel tells them to forget.
const forgetTime = 100 * time.Millisecond

// dropCaches makes the whole machine forget what it read from disks, FUSE mounts among them.
func dropCaches(what string) error {
	unix.Sync()
	ownDrops++
	err := os.WriteFile("/proc/sys/vm/drop_caches", []byte(what), 0)
	time.Sleep(forgetTime)
	return err
}

// foreignDrops is how often anybody else has made this machine forget since it was started, of inodes at least:
// it makes cold what should be warm.
func foreignDrops() int {
	text, _ := os.ReadFile("/proc/vmstat")
	drops := 0
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "drop_slab" {
			drops, _ = strconv.Atoi(value)
		}
	}
	return drops - ownDrops
}

// drop is what comes before a cold measurement.
func drop(what string) func(context.Context, spot) error {
	return func(context.Context, spot) error { return dropCaches(what) }
}

// renewAndDrop makes the next read of everything the first one of a new mount.
func renewAndDrop(ctx context.Context, s spot) error {
	if err := s.peer.renew(ctx, s.tree, s.dir); err != nil {
		return err
	}
	return dropCaches(dropAll)
}
