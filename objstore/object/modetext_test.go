package object

import "testing"

func TestModeText(t *testing.T) {
	for mode, want := range map[uint32]string{0o100644: "-rw-r--r--", 0o104755: "-rwsr-xr-x", 0o102640: "-rw-r-S---", 0o041777: "drwxrwxrwt", 0o120777: "lrwxrwxrwx", 0: "?---------"} {
		if got := ModeText(mode); got != want {
			t.Errorf("%o: %s, want %s", mode, got, want)
		}
	}
}
