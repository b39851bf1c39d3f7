package daemon

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"deployfs/mount"
	"deployfs/mount/keeper"
)

// Kept are the mounts at these mountpoints, or all of this user's when none is
// named.
func Kept(mountpoints []string) ([]Status, error) {
	list, err := servers()
	if err != nil || len(mountpoints) == 0 {
		return list, err
	}
	found := []Status{}
	for _, path := range mountpoints {
		entry, err := mount.Lookup(path)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(list, func(s Status) bool { return s.Device == entry.Dev.String() })
		if at < 0 {
			return nil, &Failure{
				Text:   fmt.Sprintf("%s: no server of this user's answers for it", Line(path)),
				Remedy: "`deployfs mounts` lists what is mounted",
			}
		}
		found = append(found, list[at])
	}
	return found, nil
}

// Upgrade has this program take over a mount.
func Upgrade(s Status) error {
	program, err := os.Open("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("upgrade %s: %w", Line(s.Mountpoint), err)
	}
	defer program.Close()
	if s.Keeper == 0 {
		err = &Failure{Text: "its keeper is gone", Remedy: "unmount it and mount it again"}
	} else {
		err = keeper.Upgrade(s.Keeper, program)
	}
	if err == nil {
		return nil
	}
	text := fmt.Sprintf("upgrade %s: %v", Line(s.Mountpoint), err)
	var known hinter
	if errors.As(err, &known) {
		return &Failure{Text: text, Remedy: known.Hint()}
	}
	return errors.New(text)
}
