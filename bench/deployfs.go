package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// indexTime is how long a mount may take to find a complete index.
const indexTime = 30 * time.Second

// program is the deployfs under test.
type program struct {
	path  string
	help  string // of `deployfs mount`
	work  string // holds caches
	cache *int   // number of caches that were handed out
}

func newProgram(ctx context.Context, path, work string) (program, error) {
	help, err := run(ctx, path, "mount", "--help")
	return program{path: path, help: string(help), work: work, cache: new(int)}, err
}

// knows reports whether the program has an option of mount.
func (p program) knows(option string) bool {
	for word := range strings.FieldsSeq(p.help) {
		if name, _, _ := strings.Cut(strings.Trim(word, "[]"), "="); name == option {
			return true
		}
	}
	return false
}

// indexes reports whether the program builds indexes.
func (p program) indexes() bool { return p.knows("--no-index") }

// unknown is why the program can't be asked about an option.
func (p program) unknown(option string) string {
	if option == "" || p.knows(option) {
		return ""
	}
	return "this deployfs has no " + option
}

// mounted is a mount of the program under test.
type mounted struct {
	program
	called string
	mode   string // of the repository
	option string // of mount; "" for none
}

func (m *mounted) column() string  { return subject }
func (m *mounted) variant() string { return m.called }

func (m *mounted) absent() string {
	name, _, _ := strings.Cut(m.option, "=")
	return m.unknown(name)
}

// prepare builds the index, too, unless it is not to be used.
func (m *mounted) prepare(ctx context.Context, t *tree) error {
	repo, err := t.repo(ctx, m.mode)
	if err != nil || !m.indexes() || m.option == "--no-index" {
		return err
	}
	_, err = setUp(ctx, m.path, "index", "--repo="+repo, t.ref())
	return err
}

// place gives each mount a cache directory of its own, so that what one has inflated or verified does
// not help the next one.
func (m *mounted) place(ctx context.Context, t *tree, dir string) error {
	repo, err := t.repo(ctx, m.mode)
	if err != nil {
		return err
	}
	args := []string{m.path, "mount", "--repo=" + repo}
	if m.option != "" {
		args = append(args, m.option)
	}
	if m.knows("--cache-dir") {
		*m.cache++
		args = append(args, fmt.Sprintf("--cache-dir=%s", filepath.Join(m.work, fmt.Sprintf("cache-%d", *m.cache))))
	}
	return mountAt(ctx, dir, append(args, t.ref(), dir)...)
}

func (m *mounted) renew(ctx context.Context, t *tree, dir string) error {
	if err := m.remove(ctx, dir); err != nil {
		return err
	}
	if err := m.place(ctx, t, dir); err != nil {
		return err
	}
	return m.ready(ctx, dir)
}

// ready waits until the mount uses the index that prepare built.
func (m *mounted) ready(ctx context.Context, dir string) error {
	if !m.indexes() || m.option == "--no-index" {
		return nil
	}
	for start := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		s, err := m.status(ctx, dir)
		switch {
		case err != nil:
			return err
		case s.Index.State == "used":
			return nil
		case time.Since(start) > indexTime:
			return fmt.Errorf("the mount at %s does not use the index that was built: its state is %q", dir, s.Index.State)
		}
	}
}

func (m *mounted) remove(ctx context.Context, dir string) error {
	if _, err := run(ctx, m.path, "umount", dir); err != nil {
		return err
	}
	return os.Remove(dir)
}

func (m *mounted) status(ctx context.Context, dir string) (s status, err error) {
	out, err := run(ctx, m.path, "mounts", "--json")
	if err != nil {
		return s, err
	}
	var list []status
	if err := json.Unmarshal(out, &list); err != nil {
		return s, fmt.Errorf("%s mounts --json: %w", m.path, err)
	}
	for _, one := range list {
		if one.Mountpoint == dir {
			return one, nil
		}
	}
	return s, nil
}
