package summary

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

const signatureFile = "summary.sig"

// publish puts a summary in place, and its signature. Without one, the signature
// of the last summary is deleted. Both files of a signed summary have the same
// time, so that for a cache they are as old as each other.
func publish(repo *objstore.Repo, data, signature []byte) error {
	if signature == nil {
		if err := repo.Replace(repo.Dir(), "summary", data, 0o644); err != nil {
			return fmt.Errorf("writing summary: %w", err)
		}
		return remove(repo, signatureFile)
	}
	summary, err := stage(repo, data)
	if err != nil {
		return err
	}
	sig, err := stage(repo, signature)
	if err == nil {
		err = sameTime(repo, sig, summary)
	}
	if err == nil {
		err = rename(repo, summary, "summary")
	}
	if err == nil {
		if err = rename(repo, sig, signatureFile); err != nil {
			err = errors.Join(err, remove(repo, signatureFile)) // it is of another summary
		}
	}
	if err != nil {
		return errors.Join(err, remove(repo, summary), remove(repo, sig))
	}
	return repo.SyncDir(repo.Dir())
}

// stage writes a file below tmp/, durably.
func stage(repo *objstore.Repo, data []byte) (file string, err error) {
	file = "tmp/" + objstore.TemporaryName()
	if err := repo.Replace(repo.Dir(), file, data, 0o644); err != nil {
		return "", fmt.Errorf("writing summary: %w", err)
	}
	return file, nil
}

func sameTime(repo *objstore.Repo, from, to string) error {
	at := int(repo.Dir().Fd())
	var st unix.Stat_t
	err := unix.Fstatat(at, from, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err == nil {
		err = unix.UtimesNanoAt(at, to, []unix.Timespec{st.Atim, st.Mtim}, unix.AT_SYMLINK_NOFOLLOW)
	}
	if err != nil {
		return fmt.Errorf("Unable to change summary timestamps: %w", err)
	}
	return nil
}

func rename(repo *objstore.Repo, from, to string) error {
	at := int(repo.Dir().Fd())
	if err := unix.Renameat(at, from, at, to); err != nil {
		return fmt.Errorf("Unable to rename %s: %w", to, err)
	}
	return nil
}
