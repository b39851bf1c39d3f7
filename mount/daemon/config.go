package daemon

import (
	"fmt"
	"path/filepath"

	"deployfs/fs"
)

// Config says what is mounted where, and how.
type Config struct {
	Repo       string // path of the repository
	Rev        string // the commit, as ostree names it
	Mountpoint string

	Subpath     string // directory of the commit that is shown; "" is its root
	Overlay     string // directory of a writable layer on top; "" is none
	Verify      fs.Verify
	Data        Data
	Memory      int64  // bytes of decoded metadata to keep
	CacheSize   int64  // bytes of inflated archive content on disk
	CommitMtime bool   // show the commit's time instead of 1970
	AllowOther  bool   // let other users in
	NoSuid      bool   // ignore setuid bits and file capabilities
	NonEmpty    bool   // mount over a directory that has entries
	NoLock      bool   // do not hold the repository's lock
	NoIndex     bool   // neither use nor build a tree index
	NoConfine   bool   // keep every right of who mounts
	CacheDir    string // of derived data
}

// The defaults of the sizes.
const (
	DefaultMemory    = fs.DefaultMemory
	DefaultCacheSize = 1 << 30
)

// absolute makes the paths independent of the working directory, which a
// server in the background leaves.
func (c *Config) absolute() error {
	for _, path := range []*string{&c.Repo, &c.Mountpoint, &c.Overlay, &c.CacheDir} {
		if *path == "" {
			continue
		}
		abs, err := filepath.Abs(*path)
		if err != nil {
			return fmt.Errorf("%s: %w", *path, err)
		}
		*path = abs
	}
	return nil
}
