package flatpak

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// DropIndex deletes flatpak's own index, which it believes rather than the summary,
// and that index's signature.
func DropIndex(repo *objstore.Repo) error {
	for _, file := range []string{"summary.idx", "summary.idx.sig"} {
		if err := unix.Unlinkat(int(repo.Dir().Fd()), file, 0); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("unlinkat(%s): %w", file, err)
		}
	}
	return repo.SyncDir(repo.Dir())
}
