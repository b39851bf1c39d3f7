package objstore

import (
	"testing"
)

func TestSetKeyRefuses(t *testing.T) {
	for _, c := range []struct{ group, key, value, want string }{
		{"", "x", "1", "Invalid group name: "},
		{"a]b", "x", "1", "Invalid group name: a]b"},
		{"core", "", "1", "Invalid key name: "},
		{"core", "#x", "1", "Invalid key name: #x"},
		{"core", " x", "1", "Invalid key name:  x"},
		{"core", "x=y", "1", "Invalid key name: x=y"},
		{"core", "x[de]", "1", "Invalid key name: x[de]"},
		{"core", "x\ny", "1", "Invalid key name: x?y"},
		{"core", "x", "1\n[core]", "value of x: more than a line"},
		{"core", "x", "\xff", "Invalid UTF-8"},
	} {
		if _, err := SetKey([]byte("[core]\n"), c.group, c.key, c.value); err == nil || err.Error() != c.want {
			t.Errorf("[%s] %q=%q: %v, want %s", c.group, c.key, c.value, err, c.want)
		}
	}
}

func TestUnsetKey(t *testing.T) {
	for before, want := range map[string]string{
		"[core]\nx=1\ny=2\n":                       "[core]\ny=2\n",
		"[core]\nx = 1\n#x=2\nx=3\n":               "[core]\n#x=2\n",
		"[core]\ny=2\n\n[other]\nx=1\n":            "[core]\ny=2\n\n[other]\nx=1\n",
		"[core]\nx=1":                              "[core]\n",
		"[core]\nx=1\n[other]\nx=1\n[core]\nx=3\n": "[core]\n[other]\nx=1\n[core]\n",
	} {
		if got, err := UnsetKey([]byte(before), "core", "x"); err != nil || string(got) != want {
			t.Errorf("%q became %q, %v, want %q", before, got, err, want)
		}
	}
}

func TestRemoveGroup(t *testing.T) {
	for before, want := range map[string]string{
		"[core]\nx=1\n":                                       "[core]\nx=1\n",
		"[core]\nx=1\n\n[gone]\ny=2\n":                        "[core]\nx=1\n",
		"[core]\nx=1\n\n[gone]\ny=2\n\n[z]\na=b\n":            "[core]\nx=1\n\n[z]\na=b\n",
		"[gone]\ny=2\n\n[z]\na=b\n\n[gone]\nc=d\n":            "[z]\na=b\n",
		"[core]\n# of gone\n[gone]\n# in it\n\n# of z\n[z]\n": "[core]\n# of gone\n# of z\n[z]\n",
		"# top\n\n[gone]\nx=1\n# end\n":                       "# top\n",
	} {
		if got, err := RemoveGroup([]byte(before), "gone"); err != nil || string(got) != want {
			t.Errorf("%q became %q, %v, want %q", before, got, err, want)
		}
	}
}

func TestKeyEscapes(t *testing.T) {
	for text, want := range map[string]string{
		"plain":      "plain",
		"  a b\tc ":  `\s\sa b` + "\tc ",
		"\t x\\y;\n": `\t\sx\\y;\n`,
		"\r\n a":     `\r\n\sa`,
	} {
		got := KeyText(text)
		f, err := ParseKeyFile([]byte("[a]\nb=" + got + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		if back, _ := f.Get("a", "b"); got != want || back != text {
			t.Errorf("%q is %q, want %q; reads %q", text, got, want, back)
		}
	}
	if got, want := KeyList([]string{"b1", "b;3", " x", ""}), `b1;b\;3;\sx;;`; got != want {
		t.Errorf("list %q, want %q", got, want)
	}
}

// FuzzRemoveGroup: what is left has all other groups and keys as they were.
func FuzzRemoveGroup(f *testing.F) {
	f.Add([]byte("# top\n[core]\na = 1\n\n[gone]\nx=no\n# c\n[z]\n"))
	f.Add([]byte("[gone]  \n [core]\r\nx[de]=1\n[gone]\ny=\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		before, err := ParseKeyFile(data)
		if err != nil {
			return
		}
		got, err := RemoveGroup(data, "gone")
		if err != nil {
			t.Fatal(err)
		}
		after, err := ParseKeyFile(got)
		if err != nil || after.HasGroup("gone") {
			t.Fatalf("%q became %q, %v", data, got, err)
		}
		for _, group := range before.Groups() {
			for _, key := range before.Keys(group) {
				was, _ := before.Raw(group, key)
				if is, ok := after.Raw(group, key); group != "gone" && (!ok || is != was) {
					t.Errorf("%q became %q: [%s] %s", data, got, group, key)
				}
			}
		}
	})
}
