package mount

import (
	"slices"
	"strings"
	"testing"
)

func TestSplitOptions(t *testing.T) {
	for list, want := range map[string][]FstabOption{
		"":                       nil,
		",,":                     nil,
		"rw":                     {{Name: "rw"}},
		"rw,verify=first,a=":     {{Name: "rw"}, {"verify", "first", true}, {"a", "", true}},
		`subpath="/a,b",ro`:      {{"subpath", "/a,b", true}, {Name: "ro"}},
		`subpath=/a\,b,ro`:       {{"subpath", "/a,b", true}, {Name: "ro"}},
		`subpath=/a\b\\,ro`:      {{"subpath", `/a\b\,ro`, true}}, // as libmount: the byte before the comma counts
		`subpath=/a b=c,x-y.z=1`: {{"subpath", "/a b=c", true}, {"x-y.z", "1", true}},
		"=v":                     {{"", "v", true}},
		`\`:                      {{Name: `\`}},
	} {
		got, err := SplitOptions(list)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %+v, %v, want %+v", list, got, err, want)
		}
	}
	if got, err := SplitOptions(`ro,subpath="/a,b`); err == nil {
		t.Errorf("an open quote gives %+v", got)
	}
}

func TestSplitSource(t *testing.T) {
	for source, want := range map[string][2]string{
		"/srv/repo#os/main":  {"/srv/repo", "os/main"},
		"/srv/a#b#os/main^":  {"/srv/a#b", "os/main^"},
		"repo#far:os/main":   {"repo", "far:os/main"},
		"/with blank\n#0123": {"/with blank\n", "0123"},
		"/srv/repo":          {}, "/srv/repo#": {}, "#os/main": {}, "": {}, "#": {},
	} {
		repo, rev, ok := SplitSource(source)
		if repo != want[0] || rev != want[1] || ok != (want[1] != "") {
			t.Errorf("%q: %q, %q, %v", source, repo, rev, ok)
		}
	}
}

// FuzzSplitOptions holds that what is split is split for good: options written again with every
// comma behind a backslash read as the same ones.
func FuzzSplitOptions(f *testing.F) {
	for _, list := range []string{"rw,a=b", `a="b,c",d`, `a=b\,c`, `"`, `\,`, `a\`, "a==\x00,"} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		options, err := SplitOptions(list)
		if err != nil {
			return
		}
		var again []string
		for _, o := range options {
			text := o.Name
			if o.Given {
				text += "=" + o.Value
			}
			if text == "" || strings.HasSuffix(text, `\`) {
				return // the backslash would protect the comma that follows
			}
			again = append(again, strings.ReplaceAll(text, ",", `\,`))
		}
		if got, err := SplitOptions(strings.Join(again, ",")); err != nil || !slices.Equal(got, options) {
			t.Errorf("%q: %+v, then %+v, %v", list, options, got, err)
		}
	})
}
