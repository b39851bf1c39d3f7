package modify

import (
	"errors"
	"slices"
	"testing"

	"deployfs/objstore/object"
)

func TestApply(t *testing.T) {
	uid := uint32(7)
	for _, c := range []struct {
		name string
		m    *Modifier
		mode uint32
		want uint32
	}{
		{"nil", nil, 0o106755, 0o106755},
		{"zero", &Modifier{}, 0o106755, 0o106755},
		{"canonical file", &Modifier{Canonical: true}, 0o107777, 0o100755},
		{"canonical directory", &Modifier{Canonical: true}, 0o043775, 0o040755},
		{"canonical link", &Modifier{Canonical: true}, 0o120777, 0o120777},
		{"read-only executable", &Modifier{ReadOnlyExecutables: true}, 0o100775, 0o100555},
		{"read-only executable: no executable", &Modifier{ReadOnlyExecutables: true}, 0o100664, 0o100664},
		{"read-only executable: directory", &Modifier{ReadOnlyExecutables: true}, 0o040755, 0o040755},
		{"owner", &Modifier{UID: &uid}, 0o100644, 0o100644},
	} {
		h := object.Header{UID: 5, GID: 6, Mode: c.mode, Xattrs: []object.Xattr{{Name: "user.a"}}}
		if skip := c.m.Apply("/x", &h); skip || h.Mode != c.want {
			t.Errorf("%s: mode %o becomes %o, want %o", c.name, c.mode, h.Mode, c.want)
		}
		want := uint32(5)
		switch {
		case c.m == nil:
		case c.m.UID != nil:
			want = uid
		case c.m.Canonical:
			want = 0
		}
		if h.UID != want || (len(h.Xattrs) == 0) != c.m.DropsXattrs() {
			t.Errorf("%s: uid %d, %d xattrs", c.name, h.UID, len(h.Xattrs))
		}
	}
}

func TestStatOverrides(t *testing.T) {
	var m Modifier
	if err := m.AddStatOverrides("+2048 /add\n\n2048 /bare\n=384 /set\n1e1 /exp\n0x3 /hex\n+1 /nowhere\n=1 /nowhere too\n" +
		"+2048 /both\n=292 /both\n=292 /both2\n+2048 /both2\n+1 /last\n2 /last\n"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]uint32{
		"/add": 0o104644, "/bare": 0o104644, "/set": 0o100600, "/exp": 0o100656, "/hex": 0o100647,
		"/both": 0o104644, "/both2": 0o104644, "/last": 0o100646, "/other": 0o100644,
	} {
		h := object.Header{Mode: 0o100644}
		m.Apply(path, &h)
		if h.Mode != want {
			t.Errorf("%s: mode %o, want %o", path, h.Mode, want)
		}
	}
	h := object.Header{Mode: 0o100644}
	if m.Apply("/add", &h); h.Mode != 0o100644 {
		t.Errorf("a mode is added twice: %o", h.Mode)
	}
	if m.Apply("/both", &h); h.Mode != 0o100444 {
		t.Errorf("what is set the second time: %o", h.Mode)
	}
	unmatched := (*UnmatchedError)(nil)
	if err := m.Unmatched(); !errors.As(err, &unmatched) || !slices.Equal(unmatched.Paths, []string{"/nowhere"}) {
		t.Errorf("unmatched: %v", err)
	} else if unmatched.Lines() != "Unmatched statoverride path: /nowhere\n" {
		t.Errorf("lines: %q", unmatched.Lines())
	}
}

func TestStatOverridesRefused(t *testing.T) {
	for _, text := range []string{"2048\n", "=x /a", " /a", "-1 /a", "65536 /a", "1.5 /a", "nan /a", "inf /a", "0x /a"} {
		if err := new(Modifier).AddStatOverrides(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestSkipList(t *testing.T) {
	var m Modifier
	m.AddSkipList("/a\n\n# b\n/c")
	for _, c := range []struct {
		path string
		want bool
	}{{"/a", true}, {"/a", false}, {"/b", false}, {"/c", true}} {
		if got := m.Apply(c.path, &object.Header{}); got != c.want {
			t.Errorf("%s: skip %t, want %t", c.path, got, c.want)
		}
	}
	if err := m.Unmatched(); err == nil || err.Error() != "Unmatched skip-list paths" {
		t.Errorf("unmatched: %v", err)
	}
}

func FuzzStatOverrides(f *testing.F) {
	f.Add("+2048 /a\n=384 /b\n")
	f.Fuzz(func(t *testing.T, text string) {
		var m Modifier
		if m.AddStatOverrides(text) != nil {
			return
		}
		for path := range m.overrides {
			h := object.Header{Mode: object.ModeRegular | 0o644}
			m.Apply(path, &h)
			if h.Mode&^(object.ModeType|0o7777) != 0 || h.Mode&object.ModeRegular == 0 {
				t.Errorf("%q gives mode %o", text, h.Mode)
			}
		}
		if err := m.Unmatched(); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}
