package transaction

import (
	"fmt"

	"deployfs/objstore"
)

// checkVerity fails where the configuration demands fs-verity of objects, which nothing
// here switches on. Where it is only wished for, objects are written without.
func checkVerity(config *objstore.KeyFile) error {
	required, err := config.Bool("ex-fsverity", "required", false)
	if err != nil {
		return err
	}
	if required {
		return errVerity("ex-fsverity.required")
	}
	if _, err = config.Bool("ex-fsverity", "opportunistic", false); err != nil {
		return err
	}
	switch wish, _ := config.Get("ex-integrity", "fsverity"); wish {
	case "", "maybe", "no", "false", "0":
		return nil
	case "yes", "true", "1":
		return errVerity("ex-integrity.fsverity")
	default:
		return fmt.Errorf("Invalid tri-state value: %.100q", wish)
	}
}

func errVerity(key string) error {
	return fmt.Errorf("fsverity required (%s), but objects can't be written with it", key)
}
