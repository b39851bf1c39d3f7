package objstore

import "testing"

func TestSetKey(t *testing.T) {
	for _, c := range []struct{ before, want string }{
		{"[core]\na=1\n", "[core]\na=1\nx=true\n"},
		{"[core]\na=1", "[core]\na=1\nx=true\n"},
		{"# top\n[core]\n# of a\na = 1\n\n# end\n\n[other]\nx=no\n", "# top\n[core]\n# of a\na = 1\nx=true\n\n# end\n\n[other]\nx=no\n"},
		{"[core]\nx = false\na=1\n", "[core]\nx=true\na=1\n"},
		{"[core]\nx=1\nx=2\n", "[core]\nx=true\nx=true\n"},
		{"[other]\na=1\n\n", "[other]\na=1\n\n[core]\nx=true\n"},
		{"[core]\n[core]\na=1\n", "[core]\n[core]\na=1\nx=true\n"},
		{"[core]\n", "[core]\nx=true\n"},
	} {
		got, err := SetKey([]byte(c.before), "core", "x", "true")
		if err != nil || string(got) != c.want {
			t.Errorf("%q became %q, %v, want %q", c.before, got, err, c.want)
		}
		f, err := ParseKeyFile(got)
		if value, _ := f.Get("core", "x"); err != nil || value != "true" {
			t.Errorf("%q: x is %q, %v", got, value, err)
		}
	}
	if _, err := SetKey([]byte("junk"), "core", "x", "true"); err == nil {
		t.Error("junk was taken")
	}
}

func FuzzSetKey(f *testing.F) {
	f.Add([]byte("# top\n[core]\na = 1\n\n[other]\nx=no\n"))
	f.Add([]byte("[core]  \n [core]\r\nx[de]=1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := SetKey(data, "core", "x", "true")
		if err != nil {
			return
		}
		file, err := ParseKeyFile(got)
		if err != nil {
			t.Fatalf("%q became %q: %v", data, got, err)
		}
		if value, _ := file.Get("core", "x"); value != "true" {
			t.Errorf("%q became %q", data, got)
		}
	})
}
