package explore

import (
	"fmt"
	"math"
)

// rows is what a list shows.
type rows interface {
	count() int    // how many are known
	row(i int) row // row i of them
}

// list is a window on rows. It asks for those that are on the screen and no others.
type list struct {
	rows   rows
	cursor int
	top    int
	left   int  // columns that are left of the window
	width  int  // of the window, as it was last drawn
	height int  // likewise
	end    bool // the cursor stays on the last row as rows are added
}

// lines are rows that are there at once.
type lines []row

func (l lines) count() int    { return len(l) }
func (l lines) row(i int) row { return l[i] }

// cursorMark stands before the row under the cursor, which shows where it is without colours, too.
const cursorMark = "> "

// move is what a key does to the cursor; false when it does nothing.
func (l *list) move(key string) bool {
	step, page := 0, max(1, l.height-1)
	switch key {
	case "j", "down", "ctrl+n":
		step = 1
	case "k", "up", "ctrl+p":
		step = -1
	case "pgdown", "ctrl+f":
		step = page
	case "pgup", "ctrl+b":
		step = -page
	case "ctrl+d":
		step = max(1, page/2)
	case "ctrl+u":
		step = -max(1, page/2)
	case "g", "home":
		step = -l.cursor
	case "G", "end":
		step = l.rows.count()
	case ">":
		l.left += tabWidth
	case "<":
		l.left = max(0, l.left-tabWidth)
	default:
		return false
	}
	l.end = key == "G" || key == "end"
	l.to(l.cursor + step)
	return true
}

// to puts the cursor on row i, or the one nearest to it.
func (l *list) to(i int) {
	l.cursor = max(0, min(i, l.rows.count()-1))
}

// settle makes the window height rows high and the cursor visible.
func (l *list) settle(height int) {
	l.height = height
	if l.end {
		l.cursor = l.rows.count() - 1
	}
	l.to(l.cursor)
	l.top = max(l.cursor-height+1, min(l.top, l.cursor), 0)
	l.top = max(0, min(l.top, l.rows.count()-height))
}

// seen are the rows on the screen: from, and the one behind the last.
func (l *list) seen() (from, to int) {
	return l.top, min(l.top+l.height, l.rows.count())
}

// wanted is how many rows should be known now: some beyond the window, or all.
func (l *list) wanted() int {
	if l.end {
		return math.MaxInt
	}
	return l.top + 2*l.height
}

// draw is the window.
func (l *list) draw(width, height int) []string {
	l.width = width
	l.settle(height)
	var out []string
	from, to := l.seen()
	for i := from; i < to; i++ {
		mark, over := "  ", style("")
		if i == l.cursor {
			mark, over = cursorMark, reverse
		}
		room := max(0, width-len(mark))
		out = append(out, row{{text: mark}}.draw(width-room, 0, over)+l.rows.row(i).draw(room, l.left, over))
	}
	return out
}

// where is the cursor's place.
func (l *list) where() string {
	if l.rows.count() == 0 {
		return "empty"
	}
	return fmt.Sprintf("%d/%d", l.cursor+1, l.rows.count())
}

// find puts the cursor on the next row from row i on that q matches, towards the end (1) or the
// beginning (-1); false when there is none among those that are known.
func (l *list) find(q query, i, direction int) bool {
	for ; i >= 0 && i < l.rows.count(); i += direction {
		if q.matches(l.rows.row(i).text()) {
			l.end = false
			l.to(i)
			return true
		}
	}
	return false
}
