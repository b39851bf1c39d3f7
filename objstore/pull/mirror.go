package pull

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"deployfs/objstore/fetch"
)

// copySummary has a mirror serve the summary of what it mirrors. A signature of another
// summary does not stay.
func (p *puller) copySummary() error {
	if !p.everything() {
		return nil
	}
	err := p.copyFile("summary", p.list.data, p.list.state)
	if err == nil {
		err = p.copyFile("summary.sig", p.list.signature, p.list.signatureState)
	}
	return err
}

func (p *puller) copyFile(name string, data []byte, state fetch.Validators) error {
	dir := p.dest.Dir()
	if data == nil {
		if err := unix.Unlinkat(int(dir.Fd()), name, 0); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("unlinkat(%s): %w", name, err)
		}
		return nil
	}
	if err := p.dest.Replace(dir, name, data, 0o644); err != nil {
		return err
	}
	keepState(filepath.Join(p.dest.Path(), name), state)
	return nil
}
