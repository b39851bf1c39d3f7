package doctor

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/mount"
)

// moveBeneath is MOVE_MOUNT_BENEATH of linux/mount.h.
const moveBeneath = 0x200

// probeOverlay makes a writable layer over "fuse" in the working directory, and
// writes to it.
func probeOverlay() (any, error) {
	if err := unix.Mount("overlay", "merged", "overlay", 0, "lowerdir=fuse,upperdir=upper,workdir=work"); err != nil {
		return nil, fmt.Errorf("mount overlay: %w", err)
	}
	return true, os.WriteFile("merged/file", []byte("x"), 0o600)
}

// probeBeneath puts one file system below another.
func probeBeneath() (any, error) {
	base, err := scratch("top")
	if err != nil {
		return nil, err
	}
	top := base + "/top"
	if err := unix.Mount("tmpfs", top, "tmpfs", 0, "size=1m"); err != nil {
		return nil, fmt.Errorf("mount tmpfs: %w", err)
	}
	tree, err := unix.OpenTree(unix.AT_FDCWD, top, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open_tree: %w", err)
	}
	defer unix.Close(tree)
	if err := unix.MoveMount(tree, "", unix.AT_FDCWD, top, unix.MOVE_MOUNT_F_EMPTY_PATH|moveBeneath); err != nil {
		return nil, fmt.Errorf("move_mount: %w", err)
	}
	table, err := mount.Table()
	if err != nil {
		return nil, err
	}
	n := 0
	for _, e := range table {
		if e.Mountpoint == top {
			n++
		}
	}
	return n == 2, nil
}
