//go:build !race

package confine

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// roleEnv names what a copy of the test binary does; placeEnv says where.
const (
	roleEnv  = "CONFINE_TEST_ROLE"
	placeEnv = "CONFINE_TEST_PLACE"
)

// answers are what came of some deeds: "ok", or the errno's name.
type answers map[string]string

// roles are what a copy of the test binary can do, which is then confined.
var roles = map[string]func(place) (answers, error){
	"server": serve, "version": useVersion, "capabilities": useCapabilities, "threads": useThreads, "files": useFiles,
	"child":   childsCapabilities,
	"nothing": func(place) (answers, error) { return nil, nil }, // what a confined one may run
}

func TestMain(m *testing.M) {
	name := os.Getenv(roleEnv)
	if name == "" {
		os.Exit(m.Run())
	}
	found, err := roles[name](place(os.Getenv(placeEnv)))
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(found)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// place is a directory with what a confined process may reach, and what not.
type place string

func (p place) in(name string) string { return filepath.Join(string(p), name) }

// rules are those of a server of the repository in p.
func (p place) rules() Rules {
	return Rules{
		Read: []string{p.in("repo"), p.in("none")}, Write: []string{p.in("cache"), p.in("link"), os.DevNull}, Remove: []string{p.in("run")},
		Execute: "/proc/self/exe", Capabilities: []int{unix.CAP_DAC_READ_SEARCH},
	}
}

// newPlace makes a place that belongs to uid.
func newPlace(t *testing.T, uid int) place {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "deployfs-confine-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := place(dir)
	for _, name := range []string{"repo/object", "cache/old/file", "outside/file", "outside/open", "run/socket"} {
		err := os.MkdirAll(filepath.Dir(p.in(name)), 0o755)
		if err == nil {
			err = os.WriteFile(p.in(name), []byte("content"), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("outside", p.in("link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.in("cache/program"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error { return errors.Join(err, os.Lchown(path, uid, uid)) })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// play runs a copy of this program as uid, in a role, and returns what it found.
func (p place) play(t *testing.T, role string, uid int, env ...string) answers {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(append(os.Environ(), roleEnv+"="+role, placeEnv+"="+string(p)), env...)
	cmd.Dir = string(p)
	if uid != os.Geteuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", role, err, stderr.String())
	}
	var found answers
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatalf("%s: %q: %v", role, out, err)
	}
	return found
}

// users are whom the tests run as: this one, and an ordinary one too.
func users() []int {
	if uid := os.Geteuid(); uid != 0 {
		return []int{uid}
	}
	return []int{0, 65534}
}

func (want answers) compare(t *testing.T, found answers) {
	t.Helper()
	for deed, answer := range want {
		if got, tried := found[deed]; !tried || got != answer {
			t.Errorf("%s: %q, want %q (tried: %v)", deed, got, answer, tried)
		}
	}
}

// try does the deeds, each on its own.
func try(deeds map[string]func() error) answers {
	found := answers{}
	for what, do := range deeds {
		found[what] = errnoOf(do())
	}
	return found
}

func errnoOf(err error) string {
	var errno unix.Errno
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &errno):
		return unix.ErrnoName(errno)
	}
	return err.Error()
}
