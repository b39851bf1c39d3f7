package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// mountCommand makes this program mount an EROFS image and end. mount(8) before util-linux 2.41 puts
// a loop device between file and filesystem, which the kernel no longer needs.
const mountCommand = "mount-erofs"

func mountImage(image, dir string) error {
	if err := unix.Mount(image, dir, "erofs", unix.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("mount %s: %w", image, err)
	}
	return nil
}

// image is a filesystem in a file.
type image struct {
	called     string   // its column
	kind       string   // of image
	filesystem string   // that the kernel must know; "" when it needs none of its own
	programs   []string // that must be installed
	build      func(root, image string) []string
	mount      func(image, dir string) []string
}

func images() (e, s, f *image) {
	squash := func(root, image string) []string {
		return []string{"mksquashfs", root, image, "-comp", "zstd", "-Xcompression-level", "3", "-no-progress", "-quiet"}
	}
	e = &image{
		called: erofs, kind: "erofs", filesystem: "erofs", programs: []string{"mkfs.erofs"},
		build: func(root, image string) []string { return []string{"mkfs.erofs", "--quiet", "-T0", image, root} },
		mount: func(image, dir string) []string { return []string{"/proc/self/exe", mountCommand, image, dir} },
	}
	s = &image{
		called: squashfs, kind: "squashfs", filesystem: "squashfs", programs: []string{"mksquashfs"}, build: squash,
		mount: func(image, dir string) []string {
			return []string{"mount", "-t", "squashfs", "-o", "loop,ro", image, dir}
		},
	}
	f = &image{
		called: fusefs, kind: "squashfs", programs: []string{"mksquashfs", "squashfuse"}, build: squash,
		mount: func(image, dir string) []string { return []string{"squashfuse", image, dir} },
	}
	return e, s, f
}

func (i *image) column() string  { return i.called }
func (i *image) variant() string { return "" }

func (i *image) absent() string {
	for _, p := range i.programs {
		if _, err := exec.LookPath(p); err != nil {
			return p + " is not installed"
		}
	}
	if i.filesystem == "" || knowsFilesystem(i.filesystem) {
		return ""
	}
	exec.Command("modprobe", i.filesystem).Run() // whether it helped is seen next
	if knowsFilesystem(i.filesystem) {
		return ""
	}
	return "this kernel has no " + i.filesystem
}

func knowsFilesystem(name string) bool {
	text, _ := os.ReadFile("/proc/filesystems")
	return slices.Contains(strings.Fields(string(text)), name)
}

func (i *image) prepare(ctx context.Context, t *tree) error {
	_, err := t.image(ctx, i.kind, i.build)
	return err
}

func (i *image) place(ctx context.Context, t *tree, dir string) error {
	path, err := t.image(ctx, i.kind, i.build)
	if err != nil {
		return err
	}
	return mountAt(ctx, dir, i.mount(path, dir)...)
}

func (i *image) renew(ctx context.Context, t *tree, dir string) error {
	if err := i.remove(ctx, dir); err != nil {
		return err
	}
	return i.place(ctx, t, dir)
}

func (i *image) remove(_ context.Context, dir string) error {
	if err := unix.Unmount(dir, 0); err != nil {
		return fmt.Errorf("unmount %s: %w", dir, err)
	}
	return os.Remove(dir)
}

func (i *image) status(context.Context, string) (status, error) { return status{}, nil }
