package objstore

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCreate(t *testing.T) {
	for mode, want := range map[Mode]string{
		Bare: "mode=bare\n", BareUser: "mode=bare-user\n", BareUserOnly: "mode=bare-user-only\n", Archive: "mode=archive-z2\n",
	} {
		path := filepath.Join(t.TempDir(), "repo")
		for range 2 { // the second finds it there
			r, err := Create(path, Setup{Mode: mode})
			if err != nil {
				t.Fatal(err)
			}
			if r.Mode() != mode {
				t.Errorf("mode %s became %s", mode, r.Mode())
			}
			r.Close()
		}
		data, err := os.ReadFile(filepath.Join(path, "config"))
		if want = "[core]\nrepo_version=1\n" + want; err != nil || string(data) != want {
			t.Errorf("config %q, %v, want %q", data, err, want)
		}
		if left, _ := filepath.Glob(filepath.Join(path, "deployfs-*")); left != nil {
			t.Errorf("left behind: %q", left)
		}
	}
	if _, err := Create(filepath.Join(t.TempDir(), "no", "repo"), Setup{}); err == nil {
		t.Error("made a repository in a directory that is not there")
	}
}

func TestWriteConfig(t *testing.T) {
	r, err := Create(filepath.Join(t.TempDir(), "repo"), Setup{Collection: "org.example.One"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if id, _ := r.Config().Get("core", "collection-id"); id != "org.example.One" {
		t.Errorf("collection id %q", id)
	}
	if err := r.WriteConfig([]byte("junk")); err == nil {
		t.Error("wrote junk")
	}
	if err := r.WriteConfig([]byte("[core]\nrepo_version=1\nx=y\n")); err != nil {
		t.Fatal(err)
	}
	if x, _ := r.Config().Get("core", "x"); x != "y" {
		t.Errorf("x is %q", x)
	}
}
