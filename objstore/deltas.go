package objstore

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// Delta names a static delta: what leads from a commit to another. From is zero
// for one that needs no commit.
type Delta struct{ From, To object.Checksum }

// String is the delta's name on command lines and in summaries: FROM-TO or TO.
func (d Delta) String() string {
	if d.From.IsZero() {
		return d.To.String()
	}
	return d.From.String() + "-" + d.To.String()
}

// Base64 is the delta's name on disk: the same of 43 characters each.
func (d Delta) Base64() string {
	if d.From.IsZero() {
		return deltaText(d.To)
	}
	return deltaText(d.From) + "-" + deltaText(d.To)
}

// Path is the directory of the delta's files, from the repository on.
func (d Delta) Path() string {
	name := d.Base64()
	return "deltas/" + name[:2] + "/" + name[2:]
}

// IndexPath is the file, from the repository on, that lists the deltas to d.To.
func (d Delta) IndexPath() string {
	name := deltaText(d.To)
	return "delta-indexes/" + name[:2] + "/" + name[2:] + indexSuffix
}

const indexSuffix = ".index"

// ParseDelta reads the form of [Delta.String].
func ParseDelta(name string) (Delta, bool) { return splitDelta(name, hexSum) }

// splitDelta reads TO or FROM-TO.
func splitDelta(name string, parse func(string) (object.Checksum, bool)) (d Delta, ok bool) {
	from, to, two := strings.Cut(name, "-")
	if !two {
		from, to = "", from
	}
	if d.To, ok = parse(to); ok && two {
		d.From, ok = parse(from)
	}
	return d, ok && (d.From.IsZero() != two) && !d.To.IsZero()
}

func hexSum(text string) (object.Checksum, bool) {
	sum, err := object.ParseChecksum(text)
	return sum, err == nil
}

// deltaEncoding is how deltas write checksums, but for "_" instead of "/".
var deltaEncoding = base64.RawStdEncoding.Strict()

func deltaText(sum object.Checksum) string {
	return strings.ReplaceAll(deltaEncoding.EncodeToString(sum[:]), "/", "_")
}

func deltaSum(text string) (sum object.Checksum, ok bool) {
	data, err := deltaEncoding.DecodeString(strings.ReplaceAll(text, "_", "/"))
	if err != nil || len(data) != len(sum) || strings.Contains(text, "/") {
		return sum, false
	}
	return object.Checksum(data), true
}

// EachDelta visits the repository's static deltas, sorted by their names on disk,
// until visit fails: directories with a superblock.
func (r *Repo) EachDelta(visit func(Delta) error) error {
	return r.eachDeltaName("deltas", func(name string) error {
		d, ok := splitDelta(name, deltaSum)
		if !ok || !r.isDelta(d) {
			return nil
		}
		return visit(d)
	})
}

// EachDeltaIndex visits the commits that have an index of the deltas that lead to
// them, sorted by their names on disk, until visit fails.
func (r *Repo) EachDeltaIndex(visit func(to object.Checksum) error) error {
	return r.eachDeltaName("delta-indexes", func(name string) error {
		text, ok := strings.CutSuffix(name, indexSuffix)
		to, valid := deltaSum(text)
		if !ok || !valid {
			return nil
		}
		return visit(to)
	})
}

// eachDeltaName visits what is in the directories of a directory: the names of
// both, as one.
func (r *Repo) eachDeltaName(dir string, visit func(string) error) error {
	firsts, err := r.readNames(r.dir, dir)
	if err != nil {
		return fmt.Errorf("static deltas: %w", err)
	}
	for _, first := range firsts {
		rests, err := r.readNames(r.dir, dir+"/"+first)
		if errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) || len(first) != 2 {
			continue
		}
		if err != nil {
			return fmt.Errorf("static deltas: %w", err)
		}
		for _, rest := range rests {
			if err := visit(first + rest); err != nil {
				return err
			}
		}
	}
	return nil
}

// isDelta reports whether a delta is there.
func (r *Repo) isDelta(d Delta) bool {
	var dir, superblock unix.Stat_t
	err := unix.Fstatat(int(r.dir.Fd()), d.Path(), &dir, unix.AT_SYMLINK_NOFOLLOW)
	if err == nil {
		err = unix.Fstatat(int(r.dir.Fd()), d.Path()+"/superblock", &superblock, unix.AT_SYMLINK_NOFOLLOW)
	}
	return err == nil && dir.Mode&unix.S_IFMT == unix.S_IFDIR
}

// RemoveDelta deletes a delta, a directory of files. It leaves its place first, so that
// nobody finds a part of it; what a crash leaves in tmp, ostree clears.
func (r *Repo) RemoveDelta(d Delta) error {
	dir := int(r.dir.Fd())
	temp := "tmp/" + TemporaryName()
	err := r.MakeTmp()
	if err == nil {
		err = plain(unix.Renameat(dir, d.Path(), dir, temp))
	}
	if err == nil {
		err = RemoveAll(dir, temp)
	}
	if err != nil {
		return fmt.Errorf("deleting static delta %s: %w", d.Base64(), err)
	}
	return nil
}
