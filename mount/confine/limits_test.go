//go:build !race

package confine

import (
	"os"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// useFiles is bounded to a number of open files, and reaches it.
func useFiles(p place) (answers, error) {
	rules := p.rules()
	rules.OpenFiles = 64
	if _, err := Apply(rules); err != nil {
		return nil, err
	}
	var files []*os.File
	f, err := os.Open(p.in("repo/object"))
	for ; err == nil; f, err = os.Open(p.in("repo/object")) {
		files = append(files, f)
	}
	found := answers{"reached": errnoOf(err)}
	if n := len(files); n < 48 || n > 64 {
		found["reached"] = strconv.Itoa(n)
	}
	found["more"] = errnoOf(syscall.Setrlimit(unix.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 128, Max: 128}))
	for _, f := range files {
		f.Close()
	}
	found["afterwards"] = errnoOf(read(p.in("repo/object")))
	var core syscall.Rlimit
	if err := syscall.Getrlimit(unix.RLIMIT_CORE, &core); err != nil {
		return nil, err
	}
	found["core"] = strconv.FormatUint(core.Max, 10)
	return found, nil
}

func TestLimits(t *testing.T) {
	for _, uid := range users() {
		want := answers{"reached": "EMFILE", "more": "EPERM", "afterwards": "ok", "core": "0"}
		want.compare(t, newPlace(t, uid).play(t, "files", uid))
	}
}
