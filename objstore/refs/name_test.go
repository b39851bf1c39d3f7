package refs

import (
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	for _, c := range []struct {
		name       Name
		path, text string
		err        string
	}{
		{Name{"", "", "os/main"}, "heads/os/main", "os/main", ""},
		{Name{"", "origin", "os/main"}, "remotes/origin/os/main", "origin:os/main", ""},
		{Name{"org.example", "", "main"}, "mirrors/org.example/main", "(org.example, main)", ""},
		{Name{"", "a/b", "main"}, "remotes/a/b/main", "a/b:main", "Invalid remote name a/b"},
		{Name{"", "", "../x"}, "heads/../x", "../x", "Invalid ref name ../x"},
		{Name{"org", "", "x"}, "mirrors/org/x", "(org, x)", "Invalid collection ID org"},
		{Name{"org.a/..", "", "x"}, "mirrors/org.a/../x", "(org.a/.., x)", "Invalid collection ID org.a/.."},
		{Name{"org.example", "origin", "x"}, "mirrors/org.example/x", "(org.example, x)", "ref x of both remote origin and collection org.example"},
	} {
		err := ""
		if e := c.name.Check(); e != nil {
			err = e.Error()
		}
		if c.name.Path() != c.path || c.name.String() != c.text || err != c.err {
			t.Errorf("%+v: %q, %q, %q", c.name, c.name.Path(), c.name, err)
		}
	}
}

func TestCheckCollection(t *testing.T) {
	for id, want := range map[string]bool{
		"org.example": true, "_a.b_9": true, "org": false, "": false, "org.": false, ".org": false, "org.9": false, "a.b c": false,
		"org." + strings.Repeat("x", 252): false,
	} {
		if err := CheckCollection(id); (err == nil) != want {
			t.Errorf("%q: %v", id, err)
		}
	}
}
