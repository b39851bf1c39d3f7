package explore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// fileView shows a file's text, or its bytes, or where a symbolic link points.
type fileView struct {
	m       *Model
	commit  object.Checksum
	entry   tree.Entry
	header  object.Header
	content *content // nil until it is open, and for a symbolic link

	binary bool // shown as bytes
	left   int  // columns that are left of the screen
	height int  // of the screen
	width  int
	page   page
	todo   step               // what keys have asked for since the last page was asked for
	cancel context.CancelFunc // of what is being read; nil when nothing is
}

// opened is a file's content, or why there is none.
type opened struct {
	header  object.Header
	content *content
	binary  bool
	err     error
}

// drop lets go of what was opened for a view that is gone.
func (o opened) drop() {
	if o.content != nil {
		go o.content.close()
	}
}

// tickMsg redraws the screen while something takes long.
type tickMsg struct{}

// tick is how often that happens.
const tick = 250 * time.Millisecond

func newFile(m *Model, commit object.Checksum, e tree.Entry) *fileView {
	return &fileView{m: m, commit: commit, entry: e}
}

func (v *fileView) title() string { return path.Base(v.entry.Path) }
func (v *fileView) hints() string { return "PgDn PgUp page  g G ends  x bytes  / search  m mount" }
func (v *fileView) shown() place  { return place{v.commit.String(), inside(path.Dir(v.entry.Path))} }

func (v *fileView) about() string {
	text := v.entry.Path
	switch {
	case v.header.IsSymlink():
		return text + ": symbolic link"
	case v.content == nil:
		return text
	case !v.content.checked:
		text += ": large, its checksum is not checked"
	}
	return text
}

func (v *fileView) where() string {
	switch {
	case v.content == nil:
		return ""
	case v.cancel != nil && v.content.packed != nil:
		return fmt.Sprintf("unpacked %s of %s", size(uint64(v.content.packed.done.Load())), size(uint64(v.content.size)))
	}
	end := v.page.off
	if n := len(v.page.rows); n > 0 {
		end = v.page.rows[n-1].off + int64(len(v.page.rows[n-1].data))
	}
	percent := int64(100)
	if v.content.size > 0 {
		percent = min(end+1, v.content.size) * 100 / v.content.size
	}
	return fmt.Sprintf("%s  %d%%", size(uint64(v.content.size)), percent)
}

func (v *fileView) start() tea.Cmd {
	v.stop()
	return load(v, func() opened { return v.m.cfg.openFile(v.entry.Content) })
}

// sniffed is how much of a file is looked at to tell text from other bytes.
const sniffed = 8 << 10

func (c Config) openFile(sum object.Checksum) (o opened) {
	if o.header, o.err = c.Repo.Header(sum); o.err != nil || o.header.IsSymlink() {
		return o
	}
	if o.content, o.err = openContent(c.Repo, sum); o.err != nil {
		return o
	}
	data, err := o.content.read(context.Background(), 0, sniffed)
	o.err, o.binary = err, bytes.IndexByte(data, 0) >= 0
	return o
}

func (v *fileView) update(what any) tea.Cmd {
	switch what := what.(type) {
	case opened:
		return v.opened(what)
	case page:
		v.cancel = nil
		switch {
		case errors.Is(what.err, context.Canceled):
			v.m.note("stopped")
			v.todo = step{}
		case what.err != nil:
			v.m.fail(what.err)
			v.todo = step{}
			v.page.height, v.page.hex = what.height, what.hex
		default:
			v.page = what
			if what.missed != "" {
				v.m.note("not found: " + what.missed)
			}
		}
	case tickMsg:
		if v.cancel != nil {
			return v.tick()
		}
	}
	return nil
}

func (v *fileView) opened(o opened) tea.Cmd {
	if o.err != nil {
		v.m.fail(o.err)
		return nil
	}
	v.release()
	v.header, v.content, v.binary, v.page = o.header, o.content, o.binary, page{}
	return nil
}

func (v *fileView) tick() tea.Cmd {
	if v.m.cfg.Poll == 0 {
		return nil
	}
	return tea.Tick(tick, func(time.Time) tea.Msg { return found{v, tickMsg{}} })
}

// columns is how many bytes stand in a row, 0 for text.
func (v *fileView) columns() int {
	switch {
	case !v.binary:
		return 0
	case v.width >= 76:
		return 16
	case v.width >= 42:
		return 8
	}
	return 4
}

// need asks for the page that should be on the screen when it is another one than that which is.
func (v *fileView) need() tea.Cmd {
	if v.content == nil || v.cancel != nil || v.height == 0 ||
		v.todo == (step{}) && v.page.height == v.height && v.page.hex == v.columns() {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	v.cancel = cancel
	p, todo, off, height := pager{v.content, v.columns()}, v.todo, v.page.off, v.height
	v.todo = step{}
	return tea.Batch(v.tick(), load(v, func() page { return p.turn(ctx, todo, off, height) }))
}

func (v *fileView) draw(width, height int) (out []string) {
	v.width, v.height = width, height
	if v.header.IsSymlink() {
		facts := lines{{{"target  ", dim}, {v.header.Target, cyan}}}
		return facts.draw(width, height)
	}
	for _, r := range v.page.rows[:min(height, len(v.page.rows))] {
		if v.page.hex > 0 {
			out = append(out, hexRow(r, v.page.hex).draw(width, 0, ""))
		} else {
			text := strings.TrimSuffix(string(r.data), "\r")
			out = append(out, highlight(text, v.m.query).draw(width, v.left, ""))
		}
	}
	return out
}

// draw shows the lines as far as they fit.
func (l lines) draw(width, height int) (out []string) {
	for _, r := range l[:min(height, len(l))] {
		out = append(out, r.draw(width, 0, ""))
	}
	return out
}

// highlight marks what q finds in text, a line.
func highlight(text string, q query) (out row) {
	for q.text != "" {
		i := q.index([]byte(text), false)
		if i < 0 || i+len(q.text) > len(text) {
			break
		}
		out = append(out, span{text: text[:i]}, span{text[i : i+len(q.text)], hit})
		text = text[i+len(q.text):]
	}
	return append(out, span{text: text})
}

func (v *fileView) find(q query, how search) tea.Cmd {
	if !how.typing && q.text != "" {
		v.todo = step{query: q, direction: how.direction, here: how.here}
	}
	return nil
}

func (v *fileView) key(key string) (tea.Cmd, bool) {
	if v.cancel != nil && (key == "esc" || key == "ctrl+c") {
		v.cancel()
		return nil, true
	}
	page := max(1, v.height-1)
	switch key {
	case "j", "down", "enter", "ctrl+n":
		v.todo.rows++
	case "k", "up", "ctrl+p":
		v.todo.rows--
	case "pgdown", "ctrl+f", "space":
		v.todo.rows += page
	case "pgup", "ctrl+b":
		v.todo.rows -= page
	case "ctrl+d":
		v.todo.rows += max(1, page/2)
	case "ctrl+u":
		v.todo.rows -= max(1, page/2)
	case "g", "home":
		v.todo = step{first: true}
	case "G", "end":
		v.todo = step{last: true}
	case "x":
		v.binary = !v.binary
	case "right", "l":
		v.left += tabWidth
	case "left", "h":
		if v.left == 0 {
			return nil, false
		}
		v.left -= tabWidth
	default:
		return nil, false
	}
	return nil, true
}

// stop ends what is being read.
func (v *fileView) stop() {
	if v.cancel != nil {
		v.cancel()
	}
}

// release closes the content, without waiting for who reads it.
func (v *fileView) release() {
	if v.content != nil {
		go v.content.close()
		v.content = nil
	}
}

func (v *fileView) close() {
	v.stop()
	v.release()
}
