package explore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"
)

// mountTime is how long a mount may take.
const mountTime = 30 * time.Second

// mounted says that a place was mounted, or why not.
type mounted struct {
	place place
	dir   string
	made  bool // the directory did not exist before
	err   error
}

// unmounted says that a mount was taken away, or why not.
type unmounted struct {
	dir string
	err error
}

// Mounts are the directories where something was mounted and still is.
func (m *Model) Mounts() (dirs []string) {
	for _, one := range m.mounts {
		dirs = append(dirs, one.dir)
	}
	return dirs
}

// startMount asks where to mount what is shown.
func (m *Model) startMount() tea.Cmd {
	p := m.view().shown()
	if p.rev == "" {
		m.note("there is no commit here to mount")
		return nil
	}
	base, err := m.cfg.MountDir()
	if err != nil {
		m.fail(err)
		return nil
	}
	m.prompt = &prompt{
		label: "mount at: ", text: filepath.Join(base, mountName(p)),
		done: func(dir string) tea.Cmd {
			if dir == "" {
				return nil
			}
			m.note("mounting …")
			return func() tea.Msg { return m.cfg.mount(p, dir, base) }
		},
	}
	return nil
}

// maxMountName is how long a name is at most, in bytes.
const maxMountName = 100

// inside is a directory as a place has it: the root is nothing.
func inside(dir string) string { return strings.TrimPrefix(dir, "/") }

// mountName is a directory's name that tells what is mounted there.
func mountName(p place) string {
	name := p.rev
	if len(name) == 64 {
		name = name[:10]
	}
	name = strings.Trim(strings.Map(func(r rune) rune {
		if r != '.' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return '-'
		}
		return r
	}, name+"-"+p.path), "-.")
	return name[:min(len(name), maxMountName)]
}

// mount makes the directory where it is missing, for its owner alone, and mounts p there.
func (c Config) mount(p place, dir, base string) mounted {
	dir, err := filepath.Abs(dir)
	result := mounted{place: p, dir: dir, err: err}
	if err == nil {
		result.made, result.err = makeDir(dir, base)
	}
	if result.err != nil {
		return result
	}
	ctx, cancel := context.WithTimeout(context.Background(), mountTime)
	defer cancel()
	result.err = c.Mounter.Mount(ctx, p.rev, p.path, dir)
	if result.err != nil && result.made {
		os.Remove(dir)
	}
	return result
}

// makeDir makes dir, and base where dir is in it; made is false when dir was there.
func makeDir(dir, base string) (made bool, err error) {
	if filepath.Dir(dir) == base {
		if err := os.MkdirAll(base, 0o700); err != nil {
			return false, err
		}
	}
	err = os.Mkdir(dir, 0o700)
	if errors.Is(err, os.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

func (m *Model) mountDone(one mounted) {
	if one.err != nil {
		m.fail(one.err)
		return
	}
	m.mounts = append(m.mounts, one)
	m.note("mounted at " + one.dir + " (u takes it away)")
}

// unmount takes away the mount of what is shown, else the last one.
func (m *Model) unmount() tea.Cmd {
	if len(m.mounts) == 0 {
		m.note("nothing was mounted from here")
		return nil
	}
	one := m.mounts[len(m.mounts)-1]
	for _, other := range m.mounts {
		if other.place == m.view().shown() {
			one = other
		}
	}
	m.note("unmounting " + one.dir + " …")
	return func() tea.Msg {
		err := m.cfg.Mounter.Unmount(one.dir)
		if err == nil && one.made {
			err = os.Remove(one.dir)
		}
		return unmounted{one.dir, err}
	}
}

func (m *Model) unmountDone(one unmounted) {
	if one.err != nil {
		m.fail(one.err)
		return
	}
	for i := range m.mounts {
		if m.mounts[i].dir == one.dir {
			m.mounts = append(m.mounts[:i:i], m.mounts[i+1:]...)
			break
		}
	}
	m.note("unmounted " + one.dir)
}
