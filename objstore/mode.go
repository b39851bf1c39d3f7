package objstore

import "fmt"

// Mode is how a repository stores content objects.
type Mode uint8

// The repository modes.
const (
	Bare Mode = iota
	BareUser
	BareUserOnly
	BareSplitXattrs
	Archive
)

var modeNames = [...]string{"bare", "bare-user", "bare-user-only", "bare-split-xattrs", "archive-z2"}

// String is the mode as it stands in a repository's config.
func (m Mode) String() string { return modeNames[m] }

// ParseMode reads a mode's name; "archive" is another name for "archive-z2".
func ParseMode(name string) (Mode, error) {
	if name == "archive" {
		return Archive, nil
	}
	for i, known := range modeNames {
		if name == known {
			return Mode(i), nil
		}
	}
	return 0, fmt.Errorf("Invalid mode '%s' in repository configuration", printable(name))
}
