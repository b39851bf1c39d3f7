package explore

import (
	"bytes"
	"context"
	"fmt"
)

// maxRow is where a line without end is broken, in bytes: at the first multiple of it that lies so
// far behind the line's beginning. A row is thus shorter than twice maxRow, and where rows begin
// can be told anywhere in a file from what lies shortly before.
const maxRow = 4096

// pager finds its way through the rows of a file: lines of text, or bytes in rows of the same length.
type pager struct {
	content *content
	hex     int // bytes in a row; 0 is text
}

// part is a row of a file.
type part struct {
	off  int64
	data []byte // without the line break
}

// rows are up to n rows from off on, where a row begins.
func (p pager) rows(ctx context.Context, off int64, n int) (out []part, err error) {
	for len(out) < n && off < p.content.size {
		r, next, err := p.one(ctx, off)
		if err != nil {
			return out, err
		}
		out, off = append(out, r), next
	}
	return out, nil
}

// one is the row at off, and where the next begins.
func (p pager) one(ctx context.Context, off int64) (r part, next int64, err error) {
	want := p.hex
	if want == 0 {
		want = int((off/maxRow+2)*maxRow - off)
		if off%maxRow == 0 {
			want = maxRow
		}
	}
	data, err := p.content.read(ctx, off, want)
	if err != nil {
		return r, 0, err
	}
	if end := bytes.IndexByte(data, '\n'); p.hex == 0 && end >= 0 {
		return part{off, data[:end]}, off + int64(end) + 1, nil
	}
	return part{off, data}, off + int64(len(data)), nil
}

// back is where the row before off begins, where off is the beginning of one.
func (p pager) back(ctx context.Context, off int64) (int64, error) {
	if p.hex > 0 {
		return max(0, off-int64(p.hex)), nil
	}
	from := max(0, off-2*maxRow)
	data, err := p.content.read(ctx, from, int(off-from))
	if err != nil || len(data) == 0 {
		return 0, err
	}
	start := from + int64(bytes.LastIndexByte(data[:len(data)-1], '\n')) + 1
	if aligned := (off - 1) / maxRow * maxRow; aligned >= start+maxRow {
		return aligned, nil
	}
	return start, nil
}

// begin is where the row that holds the byte at off begins.
func (p pager) begin(ctx context.Context, off int64) (int64, error) {
	if p.hex > 0 {
		return off - off%int64(p.hex), nil
	}
	start, err := p.back(ctx, off+1)
	return start, err
}

// walk is where the row begins that lies n rows after off, or before it where n is negative.
func (p pager) walk(ctx context.Context, off int64, n int) (int64, error) {
	for ; n > 0; n-- {
		_, next, err := p.one(ctx, off)
		if err != nil || next >= p.content.size {
			return off, err
		}
		off = next
	}
	for ; n < 0 && off > 0; n++ {
		var err error
		if off, err = p.back(ctx, off); err != nil {
			return off, err
		}
	}
	return off, nil
}

// last is where the last page of height rows begins.
func (p pager) last(ctx context.Context, height int) (int64, error) {
	off := p.content.size
	if p.hex > 0 {
		off = (off + int64(p.hex) - 1) / int64(p.hex) * int64(p.hex)
	}
	return p.walk(ctx, off, -height)
}

// searchChunk is how much is searched at a time, in bytes.
const searchChunk = 256 << 10

// find is where q begins next, from off on, or before it; -1 where it does not.
func (p pager) find(ctx context.Context, q query, off int64, direction int) (int64, error) {
	overlap := int64(len(q.text) - 1)
	for off >= 0 && off < p.content.size {
		if err := ctx.Err(); err != nil {
			return -1, err
		}
		from := off
		if direction < 0 {
			from = max(0, off-searchChunk)
		}
		data, err := p.content.read(ctx, from, searchChunk+int(overlap))
		if direction < 0 {
			data = data[:min(int64(len(data)), off-from+overlap)]
		}
		if i := q.index(data, direction < 0); i >= 0 || err != nil {
			return from + int64(i), err
		}
		off = from + searchChunk
		if direction < 0 {
			off = from
			if from == 0 {
				break
			}
		}
	}
	return -1, nil
}

// hexRow is a row of bytes: where it is, the bytes, and those that are ASCII.
func hexRow(r part, columns int) row {
	text := fmt.Sprintf("%08x ", r.off)
	ascii := make([]byte, len(r.data))
	for i := range columns {
		if i%8 == 0 {
			text += " "
		}
		if i >= len(r.data) {
			text += "   "
			continue
		}
		text += fmt.Sprintf("%02x ", r.data[i])
		ascii[i] = r.data[i]
		if ascii[i] < ' ' || ascii[i] > '~' {
			ascii[i] = '.'
		}
	}
	return row{{text[:9], dim}, {text: text[9:]}, {" " + string(ascii), cyan}}
}
