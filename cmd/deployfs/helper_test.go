package main

import (
	"slices"
	"strings"
	"testing"
)

func TestIsHelper(t *testing.T) {
	for line, want := range map[string]bool{
		"/sbin/mount.fuse.deployfs /srv/repo#os/main /mnt -o rw": true,
		"/sbin/mount.deployfs /srv/repo /mnt -o rw":              true, // to be told what is missing
		"mount.deployfs srv#x /mnt":                              true,
		"/sbin/mount.deployfs":                                   false,
		"/sbin/mount.deployfs mount --repo=/r x /mnt":            false, // a server started by a copy with this name
		"deployfs /srv/re#po#os/main /mnt -o rw,dev,suid":        true,  // by mount.fuse3
		"deployfs /srv/repo /mnt -o rw":                          true,
		"deployfs mount a#b /mnt":                                false,
		"deployfs -h":                                            false,
		"deployfs --repo=/srv/re#po refs":                        false,
		"deployfs":                                               false,
		"deployfs nope":                                          false,
	} {
		if got := isHelper(strings.Fields(line)); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
	if isHelper([]string{"deployfs", ""}) {
		t.Error("an empty argument is no source")
	}
}

func TestTranslate(t *testing.T) {
	for list, want := range map[string]string{
		"rw": "",
		"ro,nosuid,noexec,nodev,noatime,user=me,x-foo=bar,X-mount.mkdir,comment=x": "--nosuid --noexec",
		"nosuid,noexec,suid,exec":                         "",
		"verify=always,allow_other,cache_size=1G,no-lock": "--verify=always --allow-other --cache-size=1G --no-lock",
		`subpath="/a b,c"`:                                "--subpath=/a b,c",
		"overlay=/x,rw":                                   "--overlay=/x",
		"ro,overlay=/x":                                   "error: mount options ro and overlay exclude each other",
		"repo=/x":                                         "error: mount option repo is not known",
		"nope":                                            "error: mount option nope is not known",
		"no\npe":                                          `error: mount option "no\npe" is not known`,
		"remount,ro":                                      "error: mount option remount does not work here",
		"no-lock=1":                                       "error: mount option no-lock takes no value",
		"data":                                            "error: mount option data needs a value",
		`a="b`:                                            `error: mount options "a=\"b": a double quote has no end`,
	} {
		h := helper{options: []string{list}}
		args, err := h.translate()
		got := strings.Join(args, " ")
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", list, got, want)
		}
	}
	h := helper{options: []string{"nope", "a=b,verify=none"}, sloppy: true}
	if args, err := h.translate(); err != nil || !slices.Equal(args, []string{"--verify=none"}) {
		t.Errorf("sloppy: %q, %v", args, err)
	}
}
