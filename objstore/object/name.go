package object

import "fmt"

// Kind is the type of an object; the numbers are those of OSTree's formats.
type Kind uint8

// The kinds of objects. A file is a content object: a regular file or a
// symbolic link.
const (
	KindFile Kind = iota + 1
	KindDirTree
	KindDirMeta
	KindCommit
	KindTombstone
	KindCommitMeta
	KindPayloadLink
	KindFileXattrs
	KindFileXattrsLink
)

var kindNames = [...]string{
	"", "file", "dirtree", "dirmeta", "commit", "tombstone-commit", "commitmeta",
	"payload-link", "file-xattrs", "file-xattrs-link",
}

// String is the kind as it stands in an object's file name.
func (k Kind) String() string {
	if int(k) < len(kindNames) && k > 0 {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Name identifies an object.
type Name struct {
	Checksum Checksum
	Kind     Kind
}

// String is the name as ostree prints it: CHECKSUM.KIND.
func (n Name) String() string { return n.Checksum.String() + "." + n.Kind.String() }
