package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// grow writes the tree below root, which must not exist.
func (f *forest) grow(root string) error {
	for _, dir := range append([]string{""}, f.dirs...) {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	for _, l := range f.links {
		if err := os.Symlink(l.target, filepath.Join(root, l.path)); err != nil {
			return err
		}
	}
	noise := rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%-32s", f.name))))
	buf := make([]byte, 1<<20)
	for _, file := range f.files {
		if err := file.write(root, noise, buf); err != nil {
			return fmt.Errorf("%s: %w", file.path, err)
		}
	}
	return nil
}

// write fills the file with what it is a copy of, or with the next bytes of noise, so that no two
// files have one content.
func (f file) write(root string, noise io.Reader, buf []byte) error {
	if f.source != "" {
		in, err := os.Open(f.source)
		if err != nil {
			return err
		}
		defer in.Close()
		noise = in
	}
	out, err := os.OpenFile(filepath.Join(root, f.path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
	if err != nil {
		return err
	}
	for left := f.size; left > 0; {
		part := buf[:min(left, int64(len(buf)))]
		if _, err := io.ReadFull(noise, part); err != nil {
			out.Close()
			return err
		}
		if _, err := out.Write(part); err != nil {
			out.Close()
			return err
		}
		left -= int64(len(part))
	}
	return out.Close()
}
