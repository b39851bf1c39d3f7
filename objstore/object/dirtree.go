package object

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strconv"

	"deployfs/objstore/gvariant"
)

// DirTreeType is the GVariant type of a dirtree: files (name, content), then
// directories (name, dirtree, dirmeta).
const DirTreeType = "(a(say)a(sayay))"

// maxName is the longest name that Linux knows, in bytes.
const maxName = 255

// DirTree is the content of one directory, in place. Names are unique and
// ascending, in bytes, among files and among directories.
type DirTree struct {
	files, dirs gvariant.Frames
}

// DecodeDirTree reads a dirtree object.
func DecodeDirTree(data []byte) (d DirTree, err error) {
	v, err := gvariant.Parse(DirTreeType, data)
	if err != nil {
		return d, err
	}
	d = DirTree{v.At(0).ElementFrames(), v.At(1).ElementFrames()}
	if err = checkEntries(d.files, 1); err == nil {
		err = checkEntries(d.dirs, 2)
	}
	if err == nil {
		err = d.checkDisjoint()
	}
	return d, err
}

// checkEntries fails unless names are valid and ascending and every checksum is one.
// Each has a name and so many checksums.
func checkEntries(list gvariant.Frames, sums int) error {
	var last []byte
	for i := range list.Len() {
		entry := list.At(i)
		name, rest := split(entry, sums)
		if err := CheckName(name); err != nil {
			return err
		}
		if i > 0 && bytes.Compare(last, name) >= 0 {
			return fmt.Errorf("names %q and %q are not in ascending order", last, name)
		}
		last = name
		end := len(rest)
		if sums == 2 {
			end = gvariant.MemberEnd(entry, 1) - (len(name) + 1)
			if _, err := checksumFrom(rest[end:]); err != nil {
				return fmt.Errorf("entry %q: %w", name, err)
			}
		}
		if _, err := checksumFrom(rest[:end]); err != nil {
			return fmt.Errorf("entry %q: %w", name, err)
		}
	}
	return nil
}

// checkDisjoint fails when a file and a directory have one name.
func (d DirTree) checkDisjoint() error {
	for f, k := 0, 0; f < d.NumFiles() && k < d.NumDirs(); {
		file, _ := split(d.files.At(f), 1)
		dir, _ := split(d.dirs.At(k), 2)
		switch order := bytes.Compare(file, dir); {
		case order == 0:
			return fmt.Errorf("%q is both a file and a directory", file)
		case order < 0:
			f++
		default:
			k++
		}
	}
	return nil
}

// CheckName fails unless name can be a file's name in a directory.
func CheckName(name []byte) error {
	switch {
	case len(name) == 0:
		return errors.New("empty filename")
	case len(name) > maxName:
		return fmt.Errorf("filename of %d bytes, at most %d are allowed", len(name), maxName)
	case string(name) == ".":
		return errors.New("Invalid self-referential filename '.'")
	case string(name) == "..":
		return errors.New("Invalid path uplink filename '..'")
	case bytes.IndexByte(name, 0) >= 0:
		return fmt.Errorf("NUL in filename %q", name)
	case bytes.IndexByte(name, '/') >= 0:
		return fmt.Errorf("Invalid / in filename %s", shown(name))
	}
	return nil
}

// shown is a name as it can stand in a message: quoted when it could not be told
// from the rest, or would disturb a terminal.
func shown(name []byte) string {
	if quoted := strconv.Quote(string(name)); quoted != `"`+string(name)+`"` || bytes.ContainsAny(name, " ") {
		return quoted
	}
	return string(name)
}

// NumFiles is the number of files and symbolic links.
func (d DirTree) NumFiles() int { return d.files.Len() }

// NumDirs is the number of subdirectories.
func (d DirTree) NumDirs() int { return d.dirs.Len() }

// File is file i: its name, in place, and its content object.
func (d DirTree) File(i int) (name []byte, content Checksum) {
	name, sums := split(d.files.At(i), 1)
	return name, Checksum(sums)
}

// Dir is subdirectory i: its name, in place, its dirtree and its dirmeta.
func (d DirTree) Dir(i int) (name []byte, tree, meta Checksum) {
	name, sums := split(d.dirs.At(i), 2)
	return name, Checksum(sums), Checksum(sums[len(tree):])
}

// split takes an entry apart into its name and so many checksums, one behind the
// other.
func split(entry []byte, sums int) (name, rest []byte) {
	first, last := gvariant.MemberEnds(entry, 1+sums)
	return entry[:first-1], entry[first:last]
}

// FindFile is the number of the file called name.
func (d DirTree) FindFile(name []byte) (int, bool) { return find(d.files, 1, name) }

// FindDir is the number of the subdirectory called name.
func (d DirTree) FindDir(name []byte) (int, bool) { return find(d.dirs, 2, name) }

func find(list gvariant.Frames, sums int, name []byte) (int, bool) {
	return sort.Find(list.Len(), func(i int) int {
		found, _ := split(list.At(i), sums)
		return bytes.Compare(name, found)
	})
}
