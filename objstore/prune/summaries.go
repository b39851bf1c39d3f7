package prune

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// remotesDir has more remotes, of the system's repository.
const remotesDir = "/etc/ostree/remotes.d"

// staleSummaries deletes the kept summaries of remotes that there are no more.
func (p *pruner) staleSummaries() error {
	dir, err := openDir(p.repo.Dir(), "tmp/cache/summaries", unix.O_NOFOLLOW)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("kept summaries: %w", err)
	}
	known := remotes(p.repo)
	for _, name := range names {
		if known[strings.TrimSuffix(name, ".sig")] {
			continue
		}
		if err := unix.Unlinkat(int(dir.Fd()), name, 0); err != nil {
			return fmt.Errorf("unlinkat(%s): %w", name, plain(err))
		}
	}
	return nil
}

// remotes are the names of the remotes that are configured.
func remotes(repo *objstore.Repo) map[string]bool {
	known := map[string]bool{}
	add := func(f *objstore.KeyFile) {
		for _, group := range f.Groups() {
			if name, ok := strings.CutPrefix(group, `remote "`); ok {
				known[strings.TrimSuffix(name, `"`)] = true
			}
		}
	}
	add(repo.Config())
	files, _ := filepath.Glob(remotesDir + "/*.conf")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if f, err := objstore.ParseKeyFile(data); err == nil {
			add(f)
		}
	}
	return known
}
