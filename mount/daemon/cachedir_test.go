package daemon

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCacheDir(t *testing.T) {
	if os.Geteuid() == 0 {
		if dir := CacheDir(); dir != "/var/cache/deployfs" {
			t.Errorf("root's cache %s", dir)
		}
		return
	}
	home := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", home+"/cache")
	if dir := CacheDir(); dir != home+"/cache/deployfs" {
		t.Errorf("cache %s", dir)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	t.Setenv("TMPDIR", home)
	if dir := CacheDir(); filepath.Dir(dir) != home {
		t.Errorf("cache without a home %s", dir)
	}
}
