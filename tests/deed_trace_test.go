package tests

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// deed is a system call that changed files, or made changes durable. Paths are relative to the
// directory of the case.
type deed struct {
	call string // without "at" and "2": open, mkdir, link, symlink, rename, unlink, write, fsync, …
	from string // of link, symlink and rename
	path string // what was made, replaced, deleted, written or synced
	flag string // of open and of a lock
}

// tracedCalls are those from which deeds come.
const tracedCalls = "openat,mkdirat,linkat,symlinkat,renameat,renameat2,unlinkat,fsync,fdatasync,syncfs,ftruncate,write,pwrite64,copy_file_range,fcntl"

var (
	straceLine = regexp.MustCompile(`^(\d+\.\d+) (\w+)\((.*)\) += (\d+)`)
	straceFD   = regexp.MustCompile(`^(?:AT_FDCWD|\d+)<([^>]*)>(?:\(deleted\))?$`)
	straceType = regexp.MustCompile(`l_type=F_(\w+)`)
)

// traced runs a command under strace and returns its deeds below dir, in the order in which they began.
func traced(t testing.TB, c command, dir string) []deed {
	t.Helper()
	need(t, have("strace"), "strace is not installed (tests/setup.sh installs it)")
	out := scratch(t) + "/trace"
	c.args = append([]string{"strace", "-ff", "-ttt", "-y", "-s", "4096", "-e", "trace=" + tracedCalls, "-o", out}, c.args...)
	c.env = append(c.env, "GODEBUG=asyncpreemptoff=1")
	c.must(t)
	return readTraces(t, out, dir)
}

func readTraces(t testing.TB, out, dir string) (deeds []deed) {
	t.Helper()
	files, err := filepath.Glob(out + ".*")
	if err != nil || len(files) == 0 {
		t.Fatal("no traces: ", err)
	}
	type timed struct {
		at string
		deed
	}
	var all []timed
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if m := straceLine.FindStringSubmatch(line); m != nil {
				if d, ok := readDeed(m[2], m[3], m[4], dir); ok {
					all = append(all, timed{m[1], d})
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b timed) int { return strings.Compare(a.at, b.at) })
	for _, d := range all {
		deeds = append(deeds, d.deed)
	}
	return deeds
}

// readDeed reads one call; false when it changed nothing below dir.
func readDeed(call, text, result, dir string) (d deed, ok bool) {
	args := splitArgs(text)
	d.call = strings.TrimSuffix(strings.TrimSuffix(call, "2"), "at")
	at := func(i int) string { return joinAt(args, i) }
	switch call {
	case "openat":
		if d.flag = args[2]; !strings.Contains(d.flag, "O_CREAT") && !strings.Contains(d.flag, "O_TMPFILE") {
			return d, false
		}
		d.path = at(0)
	case "mkdirat", "unlinkat":
		d.path = at(0)
	case "linkat", "renameat", "renameat2":
		d.from, d.path = at(0), at(2)
	case "symlinkat":
		d.from, d.path = strings.Trim(args[0], `"`), at(1)
	case "copy_file_range":
		d.call, d.path = "write", fdPath(args[2])
	case "fcntl":
		if args[1] != "F_OFD_SETLK" {
			return d, false
		}
		d.call, d.path, d.flag = "lock", fdPath(args[0]), straceType.FindStringSubmatch(text)[1]
	case "pwrite64", "ftruncate":
		d.call, d.path = "write", fdPath(args[0])
	default:
		d.path = fdPath(args[0])
	}
	below := func(p *string) bool {
		rest, ok := strings.CutPrefix(*p, dir)
		*p = strings.TrimPrefix(rest, "/")
		return ok
	}
	if d.call == "link" || d.call == "rename" {
		below(&d.from)
	}
	return d, below(&d.path)
}

// joinAt is the path that a descriptor and a name mean.
func joinAt(args []string, i int) string {
	name := strings.Trim(args[i+1], `"`)
	if name == "" {
		return fdPath(args[i])
	}
	if rest, ok := strings.CutPrefix(name, "/proc/self/fd/"); ok {
		return "#" + rest
	}
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(fdPath(args[i]), name)
}

func fdPath(arg string) string {
	if m := straceFD.FindStringSubmatch(arg); m != nil {
		return m[1]
	}
	return ""
}

// splitArgs splits at commas that stand in no string and in no braces.
func splitArgs(text string) (args []string) {
	start, depth, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ',' && depth == 0:
			args = append(args, strings.TrimSpace(text[start:i]))
			start = i + 1
		}
	}
	return append(args, strings.TrimSpace(text[start:]))
}

// shortNames replace what differs from run to run, and checksums.
var shortNames = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`^repo(/|$)`), ""},
	{regexp.MustCompile(`staging-[-\w]+-\w{6}(-lock)?`), "stage$1"},
	{regexp.MustCompile(`\b(deployfs|prune|ref|alias|summary)-[-\w]+`), "temp"},
	{regexp.MustCompile(`\.checkout-\w+`), ".checkout-temp"},
	{regexp.MustCompile(`#\d+`), "unnamed"},
	{regexp.MustCompile(`\b[0-9a-f]{2}/[0-9a-f]{62}\.`), "*."},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "*"},
	{regexp.MustCompile(`/[0-9a-f]{2}$`), "/*"},
}

func shortName(path string) string {
	for _, s := range shortNames {
		path = s.pattern.ReplaceAllString(path, s.name)
	}
	if path == "" {
		return "."
	}
	return path
}

// line is how a history shows a deed; "" for what it leaves out.
func (d deed) line() string {
	switch d.call {
	case "write":
		return ""
	case "open":
		if strings.Contains(d.flag, "O_TMPFILE") {
			return "create unnamed in " + shortName(d.path)
		}
		return "create " + shortName(d.path)
	case "link", "rename", "symlink":
		return fmt.Sprintf("%s %s to %s", d.call, shortName(d.from), shortName(d.path))
	case "lock":
		return map[string]string{"RDLCK": "share", "WRLCK": "lock", "UNLCK": "unlock"}[d.flag] + " " + shortName(d.path)
	}
	return d.call + " " + shortName(d.path)
}

// deedHistory is deeds as text. Between two barriers they are sorted, since what runs side by side has no
// order, and equal ones are counted. Fsync of single files is no barrier where several threads do it.
func deedHistory(deeds []deed, side bool) string {
	var out strings.Builder
	var phase []string
	flush := func() {
		slices.Sort(phase)
		for len(phase) > 0 {
			n := 1
			for n < len(phase) && phase[n] == phase[0] {
				n++
			}
			out.WriteString(phase[0])
			if n > 1 {
				fmt.Fprintf(&out, " (%d times)", n)
			}
			out.WriteString("\n")
			phase = phase[n:]
		}
	}
	for _, d := range deeds {
		line := d.line()
		if line == "" {
			continue
		}
		if d.call == "syncfs" || d.call == "lock" || !side && strings.HasSuffix(d.call, "sync") {
			flush()
			out.WriteString(line + "\n")
			continue
		}
		phase = append(phase, line)
	}
	flush()
	return out.String()
}
