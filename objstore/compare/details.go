package compare

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"deployfs/objstore/diff"
	"deployfs/objstore/object"
)

// Details are the headers of what a change is about; nil where it is absent.
type Details struct{ Old, New *object.Header }

// TypeChanged reports whether both sides are there and of different types.
func (d Details) TypeChanged() bool {
	return d.Old != nil && d.New != nil && typeOf(d.Old) != typeOf(d.New)
}

// Describe reads the headers.
func Describe(c Change, old, new Side) (d Details, err error) {
	if d.Old, err = headerOf(c.Old, old); err == nil {
		d.New, err = headerOf(c.New, new)
	}
	return d, err
}

func headerOf(n Node, side Side) (*object.Header, error) {
	if !n.Exists() {
		return nil, nil
	}
	h, err := side.Header(n)
	return &h, err
}

// ContentDiffers reports whether a file that was modified has another content, or a symbolic link
// another target. Files are read only when the headers can't tell: the sizes are equal and something
// else differs.
func (d Details) ContentDiffers(c Change, old, new Side) (bool, error) {
	a, b := d.Old, d.New
	switch {
	case c.Kind != diff.Modified, c.Old.IsDir() && c.New.IsDir():
		return false, nil
	case typeOf(a) != typeOf(b), a.Size != b.Size, a.Target != b.Target:
		return true, nil
	case typeOf(a) != object.ModeRegular:
		return false, nil
	case len(d.Attributes()) == 0:
		return true, nil // something has to differ
	}
	x, err := old.Open(c.Old)
	if err != nil {
		return false, err
	}
	defer x.Close()
	y, err := new.Open(c.New)
	if err != nil {
		return false, err
	}
	defer y.Close()
	return readersDiffer(x, y)
}

func typeOf(h *object.Header) uint32 { return h.Mode & object.ModeType }

// readersDiffer reads until there is a difference.
func readersDiffer(x, y io.Reader) (bool, error) {
	a, b := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, errA := io.ReadFull(x, a)
		m, errB := io.ReadFull(y, b)
		if !bytes.Equal(a[:n], b[:m]) {
			return true, nil
		}
		for _, err := range []error{errA, errB} {
			if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
				return false, err
			}
		}
		if errA != nil || errB != nil {
			return (errA != nil) != (errB != nil), nil
		}
	}
}

// Attribute is one thing beside the content that differs. An xattr that is absent is nil.
type Attribute struct {
	Name     string // "type", "mode", "owner", "group", or an xattr's name
	IsXattr  bool
	Old, New []byte
}

// Attributes are the attributes that differ; none where one side is absent.
func (d Details) Attributes() (list []Attribute) {
	a, b := d.Old, d.New
	if a == nil || b == nil {
		return nil
	}
	add := func(name, old, new string) {
		if old != new {
			list = append(list, Attribute{Name: name, Old: []byte(old), New: []byte(new)})
		}
	}
	add("type", TypeName(a.Mode), TypeName(b.Mode))
	add("mode", modeText(a.Mode), modeText(b.Mode))
	add("owner", number(a.UID), number(b.UID))
	add("group", number(a.GID), number(b.GID))
	return append(list, xattrChanges(a.Xattrs, b.Xattrs)...)
}

// xattrChanges merges two lists. A value that is there is not nil, also when it is empty.
func xattrChanges(a, b []object.Xattr) (list []Attribute) {
	names := map[string]*Attribute{}
	for _, x := range a {
		names[x.Name] = &Attribute{Name: x.Name, IsXattr: true, Old: append([]byte{}, x.Value...)}
	}
	for _, x := range b {
		if names[x.Name] == nil {
			names[x.Name] = &Attribute{Name: x.Name, IsXattr: true}
		}
		names[x.Name].New = append([]byte{}, x.Value...)
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		change := names[name]
		if (change.Old == nil) != (change.New == nil) || !bytes.Equal(change.Old, change.New) {
			list = append(list, *change)
		}
	}
	return list
}

// TypeName says what a mode makes of a file.
func TypeName(mode uint32) string {
	switch mode & object.ModeType {
	case object.ModeDir:
		return "directory"
	case object.ModeRegular:
		return "file"
	case object.ModeSymlink:
		return "symlink"
	}
	return "special"
}

func modeText(mode uint32) string { return fmt.Sprintf("%04o", mode&^object.ModeType) }

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// String is "mode 0644 -> 0755"; values of xattrs are quoted.
func (a Attribute) String() string {
	if !a.IsXattr {
		return fmt.Sprintf("%s %s -> %s", a.Name, a.Old, a.New)
	}
	name := Quote(a.Name)
	switch {
	case a.Old == nil:
		return fmt.Sprintf("xattr %s added: %s", name, valueText(a.New))
	case a.New == nil:
		return fmt.Sprintf("xattr %s removed: %s", name, valueText(a.Old))
	}
	return fmt.Sprintf("xattr %s %s -> %s", name, valueText(a.Old), valueText(a.New))
}

// maxValue is how much of an xattr's value is shown.
const maxValue = 256

// valueText is an xattr's value: a C string without its NUL, or as Go would write it.
func valueText(value []byte) string {
	text := strings.TrimSuffix(string(value), "\x00")
	if len(text) > maxValue {
		return fmt.Sprintf("%q… (%d bytes)", text[:maxValue], len(value))
	}
	return strconv.Quote(text)
}
