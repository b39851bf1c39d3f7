package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"deployfs/objstore/object"
)

// Parse returns the index in data, which it keeps and which must not change. It
// fails unless every number in it leads to where it may.
func Parse(data []byte) (*Index, error) {
	if len(data) < headerSize || string(data[:len(magic)]) != magic {
		return nil, errNone
	}
	if found := binary.LittleEndian.Uint64(data[atVersion:]); found != version {
		return nil, fmt.Errorf("index of version %d, %d is expected", found, version)
	}
	if sum := sha256.Sum256(data[atDigest+sha256.Size:]); !bytes.Equal(sum[:], data[atDigest:][:sha256.Size]) {
		return nil, errors.New("damaged index: its checksum is wrong")
	}
	x, err := split(data)
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	for _, check := range []func() error{x.checkNames, x.checkSets, x.checkAttrs, x.checkDirs} {
		if err := check(); err != nil {
			return nil, fmt.Errorf("index: %w", err)
		}
	}
	return x, nil
}

// split finds the sections.
func split(data []byte) (*Index, error) {
	var c counts
	for i, field := range c.fields() {
		*field = binary.LittleEndian.Uint64(data[atCounts+8*i:])
		if *field > uint64(len(data)) { // so that no size below overflows
			return nil, errors.New("a section is larger than the file")
		}
	}
	s := c.sections()
	if s.end != uint64(len(data)) || c.rows > maxRows || c.dirs == 0 || c.sets == 0 {
		return nil, errors.New("sections do not fill the file")
	}
	return &Index{
		root: Root{
			Tree: object.Checksum(data[atRootTree:][:sumSize]),
			Meta: object.Checksum(data[atRootMeta:][:sumSize]),
		},
		flavour:  Flavour(le32(data[atFlavour:])),
		rootAttr: Attr(le32(data[atRootAttr:])),
		size:     len(data),
		rows:     data[s.rows:][:(c.rows+1)*rowSize],
		sums:     data[s.sums:][:c.rows*sumSize],
		dirs:     data[s.dirs:][:c.dirs*dirSize],
		attrs:    data[s.attrs:][:c.attrs*attrSize],
		metas:    data[s.metas:][:c.attrs*sumSize],
		sets:     data[s.sets:][:(c.sets+1)*setSize],
		xattrs:   data[s.xattrs:][:c.xattrs],
		targets:  data[s.targets:][:c.targets],
		names:    data[s.names:][:c.names],
	}, nil
}

// checkNames fails unless names follow each other, and are such.
func (x *Index) checkNames() error {
	end := le32(x.row(0))
	for r := range Row(x.Len()) {
		start := end
		if end = le32(x.row(r + 1)); end <= start || int(end) > len(x.names) {
			return fmt.Errorf("the name of row %d is nowhere", r)
		}
		if err := object.CheckName(x.names[start:end]); err != nil {
			return fmt.Errorf("row %d: %w", r, err)
		}
	}
	if le32(x.row(0)) != 0 || int(end) != len(x.names) {
		return errors.New("names do not fill their section")
	}
	return nil
}

// checkSets fails unless xattr sets follow each other, and the first is empty.
func (x *Index) checkSets() error {
	end := le32(x.sets)
	for set := range len(x.sets)/setSize - 1 {
		start := end
		end = le32(x.sets[(set+1)*setSize:])
		if end < start || int(end) > len(x.xattrs) || set == 0 && end != 0 {
			return fmt.Errorf("xattr set %d is nowhere", set)
		}
		if err := checkSet(x.xattrs[start:end]); err != nil {
			return fmt.Errorf("xattr set %d: %w", set, err)
		}
	}
	if int(end) != len(x.xattrs) {
		return errors.New("xattrs do not fill their section")
	}
	return nil
}

// xattrHead is what stands before a name and a value: their sizes.
const xattrHead = 6

var errCutSet = errors.New("it is cut")

func checkSet(data []byte) error {
	for len(data) > 0 {
		if len(data) < xattrHead {
			return errCutSet
		}
		name, value := int(binary.LittleEndian.Uint16(data)), int(le32(data[2:]))
		if xattrHead+name+value > len(data) {
			return errCutSet
		}
		if err := object.CheckXattr(data[xattrHead:][:name], value); err != nil {
			return err
		}
		data = data[xattrHead+name+value:]
	}
	return nil
}

// checkAttrs fails unless every attribute has an xattr set, and the root is a directory.
func (x *Index) checkAttrs() error {
	n := len(x.attrs) / attrSize
	for i := range n {
		if a := x.attributes(Attr(i)); int(a.Xattrs) >= len(x.sets)/setSize-1 {
			return fmt.Errorf("attribute %d has xattr set %d, which is none", i, a.Xattrs)
		}
	}
	if int(x.rootAttr) >= n || x.RootAttributes().Mode&object.ModeType != object.ModeDir {
		return errors.New("the root has no attributes")
	}
	return nil
}

// checkDirs fails unless directories share out the rows, and each row is what
// its place in its directory says.
func (x *Index) checkDirs() error {
	next := uint64(0)
	for d := range Dir(len(x.dirs) / dirSize) {
		at := x.dirs[int(d)*dirSize:]
		first, files, subdirs := uint64(le32(at)), uint64(le32(at[4:])), uint64(le32(at[8:]))
		if first != next || next+files+subdirs > uint64(x.Len()) {
			return fmt.Errorf("directory %d has rows that are not its own", d)
		}
		next += files + subdirs
		for r := first; r < next; r++ {
			if err := x.checkRow(d, Row(r), r >= first+files, r > first && r != first+files); err != nil {
				return fmt.Errorf("row %d of directory %d: %w", r, d, err)
			}
		}
		if err := x.checkDisjoint(d); err != nil {
			return fmt.Errorf("directory %d: %w", d, err)
		}
	}
	if next != uint64(x.Len()) {
		return errors.New("there are rows outside of directories")
	}
	return nil
}

func (x *Index) checkRow(d Dir, r Row, isDir, follows bool) error {
	if follows && bytes.Compare(x.Name(r-1), x.Name(r)) >= 0 {
		return errors.New("names are not in order")
	}
	if !x.Known(r) {
		x.gaps++
		return nil
	}
	if int(x.attr(r)) >= len(x.attrs)/attrSize {
		return errors.New("no such attribute")
	}
	v := x.value(r)
	switch kind := x.Attributes(r).Mode & object.ModeType; {
	case isDir != (kind == object.ModeDir):
		return errors.New("it is of another type")
	case isDir && v >= uint64(d):
		return errors.New("its directory is no smaller one")
	case kind == object.ModeSymlink && v>>32+v&unknown > uint64(len(x.targets)):
		return errors.New("its target is nowhere")
	case kind == object.ModeSymlink:
		return object.CheckTarget(x.Target(r))
	case !isDir && kind != object.ModeSymlink && kind != object.ModeRegular:
		return errors.New("it is neither a file nor a link")
	case kind == object.ModeRegular && v > 1<<63-1:
		return errors.New("its size is none")
	}
	return nil
}

// checkDisjoint fails when a file and a subdirectory have one name; both are in order.
func (x *Index) checkDisjoint(d Dir) error {
	file, files, subdirs := x.Entries(d)
	end := file + Row(files)
	for dir := end; file < end && dir < end+Row(subdirs); {
		switch order := bytes.Compare(x.Name(file), x.Name(dir)); {
		case order == 0:
			return fmt.Errorf("%q is both a file and a directory", x.Name(file))
		case order < 0:
			file++
		default:
			dir++
		}
	}
	return nil
}
