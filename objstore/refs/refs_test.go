package refs

import "testing"

func TestParse(t *testing.T) {
	for text, want := range map[string]Spec{
		"main":                {"", "main"},
		"a/b.c-d/e_f":         {"", "a/b.c-d/e_f"},
		"origin:os/x86_64":    {"origin", "os/x86_64"},
		"ü/٣":                 {"", "ü/٣"},
		"_x":                  {"", "_x"},
		"0123":                {"", "0123"},
		"fedora-1:x/y/z/w/v1": {"fedora-1", "x/y/z/w/v1"},
	} {
		got, err := Parse(text)
		if err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
		if got.String() != text {
			t.Errorf("%q: printed as %q", text, got)
		}
	}
	for _, text := range []string{
		"", "..", ".", "-x", ".hidden", "/a", "a/", "a//b", "a b", "a:b:c", ":a", "a:", "x/../y", "nl\n", "a/.b", "a/-b", "\xff",
	} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q: accepted as %v", text, got)
		}
	}
}

// FuzzParse: what is accepted is printed as it was, and is a path without detours.
func FuzzParse(f *testing.F) {
	f.Add("origin:os/x86_64/base")
	f.Add("../x")
	f.Fuzz(func(t *testing.T, text string) {
		spec, err := Parse(text)
		if err != nil {
			return
		}
		if spec.String() != text || !IsRef(spec.Ref) || spec.Ref[0] == '/' {
			t.Fatalf("%q became %+v", text, spec)
		}
	})
}
