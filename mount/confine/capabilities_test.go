//go:build !race

package confine

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// keepEnv lists what a role keeps, as Go prints a slice.
const keepEnv = "CONFINE_TEST_KEEP"

// useCapabilities keeps some, and tries what they are for.
func useCapabilities(p place) (answers, error) {
	rules := p.rules()
	rules.Read = append(rules.Read, "/proc")
	rules.Capabilities = nil
	for _, text := range strings.Fields(os.Getenv(keepEnv)) {
		var c int
		if _, err := fmt.Sscan(text, &c); err != nil {
			return nil, err
		}
		rules.Capabilities = append(rules.Capabilities, c)
	}
	if _, err := Apply(rules); err != nil {
		return nil, err
	}
	found := try(map[string]func() error{
		"read others'": func() error { return read(p.in("repo/object")) },
		"trusted": func() error {
			_, err := unix.Getxattr(p.in("repo/labelled"), "trusted.test", make([]byte, 8))
			return err
		},
		"security": func() error {
			_, err := unix.Getxattr(p.in("repo/labelled"), "security.test", make([]byte, 8))
			return err
		},
		"write others'": func() error { return open(p.in("cache/old/file"), os.O_WRONLY) },
		"chown":         func() error { return os.Chown(p.in("cache/old"), 7, 7) },
	})
	values, err := statuses("CapEff")
	if err != nil {
		return nil, err
	}
	found["CapEff"] = fmt.Sprint(values)
	child := exec.Command("/proc/self/exe")
	child.Env = append(os.Environ(), roleEnv+"=child")
	out, err := child.Output()
	if err != nil {
		return nil, err
	}
	var gained answers
	if err := json.Unmarshal(out, &gained); err != nil {
		return nil, err
	}
	found["child's"] = gained["CapEff"]
	return found, nil
}

// childsCapabilities are those of a program that a confined one runs.
func childsCapabilities(place) (answers, error) {
	values, err := statuses("CapEff")
	return answers{"CapEff": fmt.Sprint(values)}, err
}

// TestCapabilities shows what each capability is needed for that a server keeps.
func TestCapabilities(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("cannot run: not root")
	}
	for _, c := range []struct {
		keep []int
		want answers
	}{
		{nil, answers{"read others'": "EACCES", "trusted": "ENODATA", "security": "ok"}},
		{[]int{unix.CAP_DAC_READ_SEARCH}, answers{"read others'": "ok", "trusted": "ENODATA", "security": "ok"}},
		{[]int{unix.CAP_DAC_READ_SEARCH, unix.CAP_SYS_ADMIN}, answers{"read others'": "ok", "trusted": "ok", "security": "ok"}},
	} {
		p := strangersPlace(t)
		set := uint64(0)
		for _, keep := range c.keep {
			set |= 1 << keep
		}
		c.want["CapEff"] = fmt.Sprintf("[%016x]", set)
		c.want["child's"] = c.want["CapEff"]
		c.want["write others'"], c.want["chown"] = "EACCES", "EPERM"
		t.Run(fmt.Sprint(c.keep), func(t *testing.T) {
			c.want.compare(t, p.play(t, "capabilities", 0, keepEnv+"="+strings.Trim(fmt.Sprint(c.keep), "[]")))
		})
	}
}

// strangersPlace belongs to root, but for an object and a file of the cache.
func strangersPlace(t *testing.T) place {
	t.Helper()
	p := newPlace(t, 0)
	if err := os.WriteFile(p.in("repo/labelled"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"trusted.test", "security.test"} {
		if err := unix.Setxattr(p.in("repo/labelled"), name, []byte("value"), 0); err != nil {
			t.Skip("cannot run: /var/tmp does not take ", name)
		}
	}
	for _, name := range []string{"repo/object", "cache/old/file"} {
		if err := os.Chown(p.in(name), 1000, 1000); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(p.in(name), 0); err != nil {
			t.Fatal(err)
		}
	}
	return p
}
