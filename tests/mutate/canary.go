package mutate

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Canary is a directory outside the repository, to which hostile links lead. It
// looks like the inside of one, so that whoever follows a link reads on.
type Canary struct {
	Dir    string
	Secret string // what its files hold, and nothing else does

	before string
}

// newCanary makes a canary in dir.
func newCanary(dir string) (*Canary, error) {
	c := &Canary{Dir: dir, Secret: "canary-4f1c7a"}
	long := time.Unix(1_000_000_000, 0) // a read shows in the time of access
	for _, name := range []string{"secret", "heads/main", "heads/a/b", "remotes/origin/far", "main", "a/b", "far", "mirrored"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(c.Secret+"\n"), 0o600); err != nil {
			return nil, err
		}
		if err := os.Chtimes(path, long.Add(-time.Second), long); err != nil {
			return nil, err
		}
	}
	before, err := c.state()
	c.before = before
	return c, err
}

// state tells what the canary's files are like, and when they were read.
func (c *Canary) state() (text string, err error) {
	err = filepath.Walk(c.Dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if info.IsDir() {
			text += path + "\n" // it may be looked into: that shows nothing of a file
			return nil
		}
		text += fmt.Sprintln(path, info.Mode(), info.Size(), info.ModTime().UnixNano(), accessed(info))
		return nil
	})
	return text, err
}

// Check fails when somebody was at the canary.
func (c *Canary) Check() error {
	after, err := c.state()
	if err == nil && after != c.before {
		err = fmt.Errorf("outside of the repository:\n%swas before:\n%s", after, c.before)
		c.before = after // said once
	}
	return err
}
