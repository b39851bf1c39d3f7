package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
)

// output is a file that takes the place of another one when it is complete, or a
// device, which is written at once.
type output struct {
	*os.File
	path   string
	device bool
}

// createOutput begins to write to path.
func createOutput(path string) (*output, error) {
	cannot := cli.Words(fmt.Sprintf("Failed to open '%s'", path))
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, cannot
		}
		return &output{f, path, true}, nil
	}
	temporary := filepath.Join(filepath.Dir(path), ".export-"+objstore.TemporaryName())
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, cannot
	}
	return &output{f, path, false}, nil
}

// finish makes the file durable and gives it its name.
func (o *output) finish() error {
	if o.device {
		return o.Close()
	}
	if err := unix.Fdatasync(int(o.Fd())); err != nil {
		return &fs.PathError{Op: "fdatasync", Path: o.path, Err: err}
	}
	if err := os.Rename(o.Name(), o.path); err != nil {
		return err
	}
	return o.Close()
}

// abort removes what was not finished.
func (o *output) abort() {
	if o.Close() == nil && !o.device {
		os.Remove(o.Name())
	}
}
