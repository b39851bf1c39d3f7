package mount

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// tableFile is the mount table of the caller's mount namespace.
const tableFile = "/proc/self/mountinfo"

// maxTable limits the size of the table that is read, in bytes: some 300,000
// mounts, three times the kernel's own limit for a namespace.
const maxTable = 64 << 20

// Dev is the number of the device that holds a filesystem.
type Dev struct {
	Major, Minor uint32
}

// String returns MAJOR:MINOR, as sysfs names devices.
func (d Dev) String() string { return fmt.Sprintf("%d:%d", d.Major, d.Minor) }

// Entry is one line of the mount table. Names are decoded; the option lists
// stand as the kernel wrote them, since a decoded comma would split a value.
type Entry struct {
	ID, Parent   int
	Dev          Dev
	Root         string // the directory of the filesystem that is mounted
	Mountpoint   string
	Options      string // of this mount
	Type         string // "ext4", "fuse.sshfs", ...
	Source       string
	SuperOptions string // of the filesystem, for all its mounts
}

// IsFUSE reports whether a FUSE server stands behind the mount.
func (e Entry) IsFUSE() bool {
	return e.Type == "fuse" || strings.HasPrefix(e.Type, "fuse.")
}

// Connection returns the number of the FUSE connection behind the mount, its
// name in fusectl. ok is false when the mount is no FUSE mount.
func (e Entry) Connection() (number uint32, ok bool) {
	return e.Dev.Minor, e.IsFUSE() && e.Dev.Major == 0
}

// SuperOption returns the decoded value of the filesystem option with that
// name, and whether it is present.
func (e Entry) SuperOption(name string) (value string, ok bool) {
	for option := range strings.SplitSeq(e.SuperOptions, ",") {
		key, value, _ := strings.Cut(option, "=")
		if key == name {
			return unescape(value), true
		}
	}
	return "", false
}

// Table returns the mounts of the caller's namespace that can be reached from
// its root directory, in the kernel's order.
func Table() ([]Entry, error) {
	f, err := os.Open(tableFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxTable+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxTable {
		return nil, &Error{Op: "read", Path: tableFile, Err: fmt.Errorf("longer than %d bytes", maxTable)}
	}
	return parseTable(data)
}

// parseTable decodes the content of a mountinfo file.
func parseTable(data []byte) ([]Entry, error) {
	var table []Entry
	number := 0
	for line := range bytes.Lines(data) {
		number++
		e, err := parseEntry(string(bytes.TrimSuffix(line, []byte("\n"))))
		if err != nil {
			return nil, &Error{Op: "read", Path: tableFile, Err: fmt.Errorf("line %d: %w", number, err)}
		}
		table = append(table, e)
	}
	return table, nil
}

var errEntry = errors.New("not a mount table entry")

// parseEntry decodes one line:
//
//	ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [PROPAGATION...] - TYPE SOURCE SUPEROPTIONS
//
// Fields are separated by exactly one space, and the source may be empty.
func parseEntry(line string) (Entry, error) {
	left, right, ok := strings.Cut(line, " - ")
	a, b := strings.Split(left, " "), strings.Split(right, " ")
	if !ok || len(a) < 6 || len(b) != 3 {
		return Entry{}, errEntry
	}
	id, err1 := strconv.ParseUint(a[0], 10, 31)
	parent, err2 := strconv.ParseUint(a[1], 10, 31)
	dev, err3 := parseDev(a[2])
	if err := errors.Join(err1, err2, err3); err != nil {
		return Entry{}, errEntry
	}
	return Entry{
		ID:           int(id),
		Parent:       int(parent),
		Dev:          dev,
		Root:         unescape(a[3]),
		Mountpoint:   unescape(a[4]),
		Options:      a[5],
		Type:         unescape(b[0]),
		Source:       unescape(b[1]),
		SuperOptions: b[2],
	}, nil
}

func parseDev(s string) (Dev, error) {
	a, b, _ := strings.Cut(s, ":")
	major, err1 := strconv.ParseUint(a, 10, 32)
	minor, err2 := strconv.ParseUint(b, 10, 32)
	return Dev{Major: uint32(major), Minor: uint32(minor)}, errors.Join(err1, err2)
}

// unescape decodes the kernel's escapes: a backslash and three octal digits
// are one byte. A backslash before anything else stands for itself.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				out = append(out, byte(c))
				i += 3
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}
