package explore

import (
	"context"
	"io"
	"os"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// Repo is what is read of a repository. Its methods are called at the same time.
type Repo interface {
	Path() string
	Refs() ([]objstore.Ref, error)
	Resolve(rev string) (object.Checksum, error)
	Commit(object.Checksum) (object.Commit, error)
	IsPartial(object.Checksum) bool
	CommitMeta(object.Checksum) (gvariant.Value, bool, error)
	DirTree(object.Checksum) (object.DirTree, error)
	DirMeta(object.Checksum) (object.DirMeta, error)
	Header(object.Checksum) (object.Header, error)
	Open(object.Checksum) (Content, error)
}

// Content is an open file. Reading to the end checks it against its name.
type Content interface {
	io.ReadCloser
	Size() int64
	Plain() *os.File // the file that holds it as it is, or nil
}

// Mounter mounts commits.
type Mounter interface {
	// Mount shows the directory path of a commit at dir, which is there.
	Mount(ctx context.Context, rev, path, dir string) error
	Unmount(dir string) error
}

// Config is what a Model works with.
type Config struct {
	Repo     Repo
	Mounter  Mounter
	MountDir func() (string, error) // below which mounts are proposed; nobody else may write there
	Rev      string                 // whose log is shown at first; "" is none
	Poll     time.Duration          // how often refs are looked at; 0 is never
}

// view is what fills the screen but for its first and last lines.
type view interface {
	title() string                     // in the first line
	about() string                     // what it is, in words, for the line at the bottom
	hints() string                     // its most useful keys
	start() tea.Cmd                    // reads what is needed, also again
	update(what any) tea.Cmd           // takes what a command of its own has found
	key(key string) (tea.Cmd, bool)    // a key that is not everybody's
	draw(width, height int) []string   // at most height lines
	need() tea.Cmd                     // reads what was not there to be drawn
	where() string                     // the place in it
	find(q query, next search) tea.Cmd // looks for q
	shown() place                      // what a mount would show
	close()
}

// place is a directory of a commit.
type place struct{ rev, path string }

// Model is the program without a terminal.
type Model struct {
	cfg           Config
	width, height int
	stack         []view
	active        int
	marked        []object.Checksum // two at most, in the order of marking
	mounts        []mounted
	query         query
	prompt        *prompt
	status        string
	failed        bool // status is an error
}

// New is a model that shows the refs, or the log of a REV.
func New(cfg Config) *Model {
	m := &Model{cfg: cfg, width: 80, height: 24}
	m.stack = []view{newRefs(m)}
	if cfg.Rev != "" {
		m.stack = append(m.stack, newLog(m, cfg.Rev))
		m.active = 1
	}
	return m
}

// found is what a command has read for a view.
type found struct {
	view view
	what any
}

// load reads something for v outside of the model.
func load[T any](v view, read func() T) tea.Cmd {
	return func() tea.Msg { return found{v, read()} }
}

// polled are the refs, which are looked at again and again.
type polled refsFound

// Init starts the views that are there from the beginning.
func (m *Model) Init() tea.Cmd {
	cmds := []tea.Cmd{m.poll()}
	for _, v := range m.stack {
		cmds = append(cmds, v.start())
	}
	return tea.Batch(cmds...)
}

func (m *Model) poll() tea.Cmd {
	if m.cfg.Poll == 0 {
		return nil
	}
	return tea.Tick(m.cfg.Poll, func(time.Time) tea.Msg { return polled(m.cfg.refs()) })
}

// Update takes a key, a new size, or what a command has found.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = max(msg.Width, 1), max(msg.Height, 1)
	case tea.KeyPressMsg:
		cmd = m.press(msg)
	case tea.PasteMsg:
		if m.prompt != nil {
			cmd = m.prompt.insert(msg.Content)
		}
	case polled:
		cmd = m.poll()
		if msg.err == nil || m.active == 0 { // elsewhere nobody asked
			cmd = tea.Batch(m.stack[0].update(refsFound(msg)), cmd)
		}
	case mounted:
		m.mountDone(msg)
	case unmounted:
		m.unmountDone(msg)
	case found:
		if slices.Contains(m.stack, msg.view) {
			cmd = msg.view.update(msg.what)
		} else if late, ok := msg.what.(interface{ drop() }); ok {
			late.drop()
		}
	}
	m.view().draw(m.width, m.bodyHeight()) // after it the view knows what it needs
	return m, tea.Batch(cmd, m.view().need())
}

func (m *Model) view() view { return m.stack[m.active] }

// open puts v on top of the active view; what was opened from that before goes.
func (m *Model) open(v view) tea.Cmd {
	m.cut(m.active + 1)
	m.stack = append(m.stack, v)
	m.active++
	return v.start()
}

// cut closes the views from number n on.
func (m *Model) cut(n int) {
	for _, v := range m.stack[n:] {
		v.close()
	}
	m.stack = slices.Delete(m.stack, n, len(m.stack))
}

// back closes the active view; the last one ends the program.
func (m *Model) back() tea.Cmd {
	if m.active == 0 {
		return m.quit()
	}
	if _, ok := m.view().(*helpView); ok {
		m.stack = slices.Delete(m.stack, m.active, m.active+1)
	} else {
		m.cut(m.active)
	}
	m.active--
	return nil
}

func (m *Model) quit() tea.Cmd {
	m.cut(0)
	m.stack = []view{newRefs(m)}
	m.active = 0
	return tea.Quit
}

func (m *Model) note(text string) { m.status, m.failed = text, false }

// fail shows an error in the line at the bottom.
func (m *Model) fail(err error) { m.status, m.failed = err.Error(), true }
