package media

import (
	"slices"
	"testing"

	"deployfs/mount"
)

func TestPaths(t *testing.T) {
	entry := func(path string) mount.Entry {
		return mount.Entry{Root: "/", Mountpoint: path, Type: "vfat", Source: "/dev/sdb1"}
	}
	table := []mount.Entry{
		{Root: "/", Mountpoint: "/", Type: "ext4", Source: "/dev/sda1"},
		{Root: "/", Mountpoint: "/media/tmp", Type: "tmpfs", Source: "tmpfs"},
		{Root: "/", Mountpoint: "/media/nothing", Type: "ext4", Source: "none"},
		{Root: "/part", Mountpoint: "/media/bound", Type: "ext4", Source: "/dev/sda1"},
		{Root: "/", Mountpoint: "/media/loop", Type: "ext4", Source: "/dev/loop0"},
		entry("/media"), entry("/media/stick"), entry("/media/stick"), entry("/media/.hidden"), entry("/media/x/.y"),
		entry("/media/no-such-directory/stick"), entry("/mediastick"), entry("/mnt/stick"),
		entry("/run/media/ann/stick"), entry("/run/media/bob/stick"), entry("/run/media"),
		entry("/home/ann"), entry("/home/ann/phone"), entry("/home/anna/phone"),
	}
	for _, c := range []struct {
		name string
		user viewer
		want []string
	}{
		{"a user", viewer{home: "/home/ann/", name: "ann"}, []string{"/media/loop", "/media/stick", "/run/media/ann/stick", "/home/ann/phone"}},
		{"root", viewer{home: "/root", name: "root", root: true}, []string{"/media/loop", "/media/stick", "/run/media/ann/stick", "/run/media/bob/stick"}},
		{"nobody", viewer{home: "/"}, []string{"/media/loop", "/media/stick"}},
		{"a home that is no path", viewer{home: "ann"}, []string{"/media/loop", "/media/stick"}},
	} {
		if got := c.user.paths(table); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
