package compare

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha1"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	udiff "github.com/aymanbagabas/go-udiff"

	"deployfs/objstore/diff"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

const (
	maxText = 4 << 20 // bytes of a file that is compared line by line
	sniffed = 8000    // bytes in which a NUL makes a file binary
	around  = 3       // lines before and after a difference
)

// Patcher writes changes as git shows them, for patch(1): the paths, what has changed beside the
// content, and a unified diff of it. Of files that are binary, or larger than 4 MiB, only the sizes
// are told.
type Patcher struct {
	Old, New Side

	// Attributes tells also of directories, and of owner and xattrs, which git knows nothing of.
	Attributes bool

	// Emit takes the patch of one file.
	Emit func(text string) error
}

// Patch is the patch of one change.
func Patch(ctx context.Context, c Change, old, new Side, attributes bool) (string, error) {
	var b strings.Builder
	left := MaxListed
	p := Patcher{Old: old, New: new, Attributes: attributes, Emit: func(text string) error {
		b.WriteString(text)
		return left.Take(perByte * len(text))
	}}
	err := p.Write(ctx, c)
	return b.String(), err
}

// Write writes a change; that of a renamed directory as a rename of each file in it.
func (p *Patcher) Write(ctx context.Context, c Change) error {
	if c.Kind == diff.Renamed && c.New.IsDir() {
		return p.moved(ctx, c)
	}
	if isDirs(c) && !p.Attributes {
		return nil
	}
	d, err := Describe(c, p.Old, p.New)
	if err != nil {
		return err
	}
	if !d.TypeChanged() {
		return p.file(c, d)
	}
	gone := Change{Path: c.Path, Kind: diff.Removed, Old: c.Old} // as git has it, two changes
	come := Change{Path: c.Path, Kind: diff.Added, New: c.New}
	if err := p.file(gone, Details{Old: d.Old}); err != nil {
		return err
	}
	return p.file(come, Details{New: d.New})
}

// isDirs reports whether a change is about nothing but a directory.
func isDirs(c Change) bool {
	return (c.Old.IsDir() || !c.Old.Exists()) && (c.New.IsDir() || !c.New.Exists())
}

// moved writes a rename for each file below a directory, which is the same on both sides.
func (p *Patcher) moved(ctx context.Context, c Change) error {
	loader, ok := p.New.(tree.Loader)
	if !ok {
		return fmt.Errorf("%.200q: a renamed directory is none of a commit's", c.Path)
	}
	return diff.Options{Deep: true}.Trees(ctx, loader, tree.Entry{}, c.New.Entry, func(below diff.Change) error {
		if below.New.IsDir() {
			return nil
		}
		f := Change{Path: below.Path, Kind: diff.Renamed, Old: Node{Entry: below.New}, New: Node{Entry: below.New}}
		f.Old.Path = c.Old.Path + strings.TrimPrefix(f.Path, c.Path)
		return p.file(f, Details{})
	})
}

// file writes the patch of one change.
func (p *Patcher) file(c Change, d Details) error {
	if isDirs(c) && !p.Attributes {
		return nil
	}
	text, err := patchOf(c, d, p.Old, p.New, p.Attributes)
	if err != nil {
		return err
	}
	return p.Emit(text)
}

func patchOf(c Change, d Details, old, new Side, attributes bool) (string, error) {
	from, to := c.Path, c.Path
	if c.Kind == diff.Renamed {
		from = c.Old.Path
	}
	a, b := Quote("a"+from), Quote("b"+to)
	content, err := d.ContentDiffers(c, old, new)
	bare := c.Kind == diff.Renamed || c.Kind == diff.Modified && !content
	text := fmt.Sprintf("diff --git %s %s\n", a, b)
	if err == nil && (bare || isEmpty(d)) {
		text = fmt.Sprintf("diff --git %s %s\n", quoteBlank(a), quoteBlank(b))
	}
	text += headLines(c, d, attributes)
	if err != nil || bare {
		return text, err
	}
	if c.Kind == diff.Added {
		a = "/dev/null"
	}
	if c.Kind == diff.Removed {
		b = "/dev/null"
	}
	body, err := contentLines(a, b, c, d, old, new)
	return text + body, err
}

// headLines tells what has changed beside the content.
func headLines(c Change, d Details, attributes bool) string {
	var b strings.Builder
	switch {
	case c.Kind == diff.Added:
		fmt.Fprintf(&b, "new %s mode %o\n", noun(d.New), modeOf(d.New))
	case c.Kind == diff.Removed:
		fmt.Fprintf(&b, "deleted %s mode %o\n", noun(d.Old), modeOf(d.Old))
	case c.Kind == diff.Renamed:
		fmt.Fprintf(&b, "similarity index 100%%\nrename from %s\nrename to %s\n", Quote(c.Old.Path[1:]), Quote(c.Path[1:]))
	case d.Old.Mode != d.New.Mode:
		fmt.Fprintf(&b, "old mode %o\nnew mode %o\n", d.Old.Mode, d.New.Mode)
	}
	for _, change := range d.Attributes() {
		if attributes && change.Name != "mode" && change.Name != "type" {
			fmt.Fprintf(&b, "%s\n", change)
		}
	}
	b.WriteString(indexLine(c, d))
	return b.String()
}

// isEmpty reports whether a patch has no text, as a file was empty when it came or went.
func isEmpty(d Details) bool {
	h := cmp.Or(d.Old, d.New)
	return (d.Old == nil || d.New == nil) && typeOf(h) == object.ModeRegular && h.Size == 0
}

// quoteBlank quotes a name with a blank in it, which patch(1) understands without quotes only in
// lines that begin with --- and +++.
func quoteBlank(name string) string {
	if strings.Contains(name, " ") && !strings.HasPrefix(name, `"`) {
		return `"` + name + `"`
	}
	return name
}

// indexLine is git's line of checksums, where patch(1) takes from it that a file is a symbolic link,
// or that an empty one is to be deleted.
func indexLine(c Change, d Details) string {
	switch {
	case c.Kind == diff.Modified && d.Old.IsSymlink() && d.Old.Target != d.New.Target:
		return fmt.Sprintf("index %.7s..%.7s %o\n", blob(d.Old.Target), blob(d.New.Target), object.ModeSymlink)
	case c.Kind == diff.Removed && typeOf(d.Old) == object.ModeRegular && d.Old.Size == 0:
		return fmt.Sprintf("index %.7s..%07d\n", blob(""), 0)
	}
	return ""
}

// blob is the checksum of content as git names it.
func blob(content string) string {
	return fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(content), content)))
}

func noun(h *object.Header) string {
	if typeOf(h) == object.ModeDir {
		return "directory"
	}
	return "file"
}

// modeOf is a mode with its type; a symbolic link has no mode of its own to git.
func modeOf(h *object.Header) uint32 {
	if h.IsSymlink() {
		return object.ModeSymlink
	}
	return h.Mode
}

// contentLines is the unified diff of two contents, of which one may be absent.
func contentLines(a, b string, c Change, d Details, old, new Side) (string, error) {
	before, fits, err := textOf(c.Old, d.Old, old)
	if err != nil {
		return "", err
	}
	after, alsoFits, err := textOf(c.New, d.New, new)
	if err != nil {
		return "", err
	}
	switch {
	case !fits || !alsoFits:
		return fmt.Sprintf("Files %s and %s differ (%s), too large for a text diff\n", a, b, sizes(d)), nil
	case isBinary(before) || isBinary(after):
		return fmt.Sprintf("Binary files %s and %s differ (%s)\n", a, b, sizes(d)), nil
	}
	return udiff.ToUnified(label(a), label(b), string(before), udiff.Lines(string(before), string(after)), around)
}

// label ends a name with a blank in it, for patch(1).
func label(name string) string {
	if strings.Contains(name, " ") && !strings.HasPrefix(name, `"`) {
		return name + "\t"
	}
	return name
}

// sizes are the sizes of what is there.
func sizes(d Details) string {
	switch {
	case d.Old == nil:
		return fmt.Sprintf("%d bytes", d.New.Size)
	case d.New == nil:
		return fmt.Sprintf("%d bytes", d.Old.Size)
	}
	return fmt.Sprintf("%d and %d bytes", d.Old.Size, d.New.Size)
}

// textOf is a file's content, or a symbolic link's target; false when there is too much of it.
func textOf(n Node, h *object.Header, side Side) ([]byte, bool, error) {
	switch {
	case h == nil:
		return nil, true, nil
	case h.IsSymlink():
		return []byte(h.Target), true, nil
	case typeOf(h) != object.ModeRegular:
		return nil, true, nil
	case h.Size > maxText:
		return nil, false, nil
	}
	f, err := side.Open(n)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxText+1))
	return data, len(data) <= maxText, err
}

func isBinary(data []byte) bool { return bytes.IndexByte(data[:min(len(data), sniffed)], 0) >= 0 }

// Quote is a name as git prints it: in quotes, with escapes, when there is a quote or a backslash in
// it, or something that does not print or is no UTF-8.
func Quote(name string) string {
	var b strings.Builder
	for i, size := 0, 0; i < len(name); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(name[i:])
		switch at := strings.IndexRune("\a\b\t\n\v\f\r", r); {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case at >= 0 && r != utf8.RuneError:
			b.WriteString(`\` + "abtnvfr"[at:at+1])
		case !strconv.IsPrint(r) || r == utf8.RuneError && size == 1:
			for _, ch := range []byte(name[i : i+size]) {
				fmt.Fprintf(&b, `\%03o`, ch)
			}
		default:
			b.WriteRune(r)
		}
	}
	if quoted := b.String(); quoted != name {
		return `"` + quoted + `"`
	}
	return name
}
