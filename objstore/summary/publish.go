package summary

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

const signatureFile = "summary.sig"

// publish puts a summary in place, and its signature. Without one, the signature
// of the last summary is deleted.
func publish(repo *objstore.Repo, data, signature []byte) (err error) {
	var staged []string // the summary last
	defer func() {
		for _, file := range staged {
			err = errors.Join(err, remove(repo, file)) // if it is still there
		}
	}()
	for _, content := range [][]byte{signature, data} {
		if content == nil {
			continue
		}
		file, err := stage(repo, content)
		if err != nil {
			return err
		}
		staged = append(staged, file)
	}
	if err := stamp(repo, staged...); err != nil {
		return err
	}
	if err := rename(repo, staged[len(staged)-1], "summary"); err != nil {
		return err
	}
	if signature != nil {
		err = rename(repo, staged[0], signatureFile)
	}
	if signature == nil || err != nil {
		err = errors.Join(err, remove(repo, signatureFile)) // it is of another summary
	}
	return errors.Join(err, repo.SyncDir(repo.Dir()))
}

// stage writes a file below tmp/, durably.
func stage(repo *objstore.Repo, data []byte) (file string, err error) {
	file = "tmp/" + objstore.TemporaryName()
	if err := repo.Replace(repo.Dir(), file, data, 0o644); err != nil {
		return "", fmt.Errorf("writing summary: %w", err)
	}
	return file, nil
}

// stamp gives files the time of the first, or of a second after those that they are
// to replace if it is not later by one. Both files of a signed summary have the same
// time, so that for a cache they are as old as each other; and a web server that
// tells times in seconds tells one summary from the next.
func stamp(repo *objstore.Repo, files ...string) error {
	at := int(repo.Dir().Fd())
	var st unix.Stat_t
	if err := unix.Fstatat(at, files[0], &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("Unable to get summary status: %w", err)
	}
	stamp := st.Mtim
	for _, old := range []string{"summary", signatureFile} {
		if unix.Fstatat(at, old, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Mtim.Sec >= stamp.Sec {
			stamp = unix.Timespec{Sec: st.Mtim.Sec + 1}
		}
	}
	for _, file := range files {
		if err := unix.UtimesNanoAt(at, file, []unix.Timespec{{Nsec: unix.UTIME_OMIT}, stamp}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return fmt.Errorf("Unable to change summary timestamps: %w", err)
		}
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
