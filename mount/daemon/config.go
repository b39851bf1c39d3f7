package daemon

import (
	"fmt"
	"path/filepath"
	"time"

	"deployfs/fs"
)

// Config says what is mounted where, and how.
type Config struct {
	Repo       string // path of the repository
	Rev        string // the commit, as ostree names it
	Mountpoint string

	Remote  string        // URL#REF or REMOTE:REF of what is on a server; Rev is "" then
	Keep    string        // path of the repository that what is fetched is put into; "" is none
	Agent   string        // how the program is called to the server, NAME/VERSION
	Timeout time.Duration // how long a server may be silent; 0 is [lazy.DefaultTimeout]

	History     bool   // show the whole repository; Rev is "" then
	Subpath     string // directory of the commit that is shown; "" is its root
	Overlay     string // directory of a writable layer on top; "" is none
	Verify      fs.Verify
	Data        Data
	Memory      int64  // bytes of decoded metadata to keep
	CacheSize   int64  // bytes of inflated archive content on disk
	CommitMtime bool   // show the commit's time instead of 1970
	AllowOther  bool   // let other users in
	NoSuid      bool   // ignore setuid bits and file capabilities
	NoExec      bool   // execute no programs
	NonEmpty    bool   // mount over a directory that has entries
	NoLock      bool   // do not hold the repository's lock
	NoIndex     bool   // neither use nor build a tree index
	NoConfine   bool   // keep every right of who mounts
	CacheDir    string // of derived data
	Foreground  bool   // log to standard error

	RequireSignature bool   // refuse a commit that nobody trusted has signed
	SignRemote       string // whose keys count; "" is the remote that Rev names
}

// The defaults of the sizes.
const (
	DefaultMemory    = fs.DefaultMemory
	DefaultCacheSize = 1 << 30
)

// Default is the configuration of a mount that is asked for without options.
func Default(repo, rev, mountpoint string) Config {
	return Config{
		Repo: repo, Rev: rev, Mountpoint: mountpoint,
		Memory: DefaultMemory, CacheSize: DefaultCacheSize, CacheDir: CacheDir(),
	}
}

// encode is the configuration for a server, whose working directory is another.
func (c Config) encode() ([]byte, error) {
	if err := c.absolute(); err != nil {
		return nil, err
	}
	return encode(&c)
}

// absolute makes the paths independent of the working directory, which a
// server in the background leaves.
func (c *Config) absolute() error {
	for _, path := range []*string{&c.Repo, &c.Mountpoint, &c.Overlay, &c.CacheDir, &c.Keep} {
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
