package metrics

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"deployfs/mount/daemon"
)

// Write writes the samples of all mounts.
func Write(w io.Writer, list []daemon.Status) error {
	_, err := w.Write(text(list))
	return err
}

// text is what is written: each family in one piece, its samples in the order of
// their labels.
func text(list []daemon.Status) []byte {
	var b bytes.Buffer
	all := distinct(list)
	live := slices.DeleteFunc(slices.Clone(all), func(s series) bool { return s.PID == 0 })
	family := func(name, kind, help string, of []series, sample func(series) (more string, value float64)) {
		fmt.Fprintf(&b, "# HELP %[1]s%[2]s %[3]s\n# TYPE %[1]s%[2]s %[4]s\n", prefix, name, help, kind)
		for _, s := range of {
			more, value := sample(s)
			fmt.Fprintf(&b, "%s%s{%s%s} %s\n", prefix, name, s.labels, more, strconv.FormatFloat(value, 'f', -1, 64))
		}
	}
	fmt.Fprintf(&b, "# HELP %[1]smounts Mounts that there are.\n# TYPE %[1]smounts gauge\n%[1]smounts %[2]d\n", prefix, len(list))
	for i, m := range append([]metric{up}, table...) {
		of := live
		if i == 0 {
			of = all
		}
		family(m.name, m.kind, m.help, of, func(s series) (string, float64) { return "", m.value(s.Status) })
	}
	family("mount_info", "gauge", "How the mount was made.", live, func(s series) (string, float64) {
		return "," + pairs(more, s.Status), 1
	})
	return b.Bytes()
}

// series is a mount and its labels.
type series struct {
	daemon.Status
	labels string
}

// distinct are the mounts in the order of their labels, each set of labels once.
func distinct(list []daemon.Status) []series {
	all := make([]series, 0, len(list))
	for _, s := range list {
		all = append(all, series{s, pairs(labels, s)})
	}
	slices.SortStableFunc(all, func(a, b series) int {
		return cmp.Or(strings.Compare(a.labels, b.labels), int(bit(a.Detached)-bit(b.Detached)), b.Since.Compare(a.Since))
	})
	return slices.CompactFunc(all, func(a, b series) bool { return a.labels == b.labels })
}

// escape is what the format wants of the value of a label.
var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func pairs(labels []label, s daemon.Status) string {
	texts := make([]string, len(labels))
	for i, l := range labels {
		texts[i] = l.name + `="` + escape.Replace(strings.ToValidUTF8(l.value(s), "\uFFFD")) + `"`
	}
	return strings.Join(texts, ",")
}

// WriteFile writes the samples to a file that every user may read. Who reads it
// sees all of the old content or all of the new.
func WriteFile(path string, list []daemon.Status) error {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("metrics file %s: not a regular file", daemon.Line(path))
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.new")
	if err != nil {
		return fmt.Errorf("metrics file: %w", err)
	}
	defer os.Remove(f.Name()) // after the rename there is none
	defer f.Close()
	err = Write(f, list)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("metrics file %s: %w", daemon.Line(path), err)
	}
	return nil
}
