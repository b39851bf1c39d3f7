package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

type hinted struct{}

func (hinted) Error() string { return "cannot do it" }
func (hinted) Hint() string  { return "`ostree pull` does something else" }

// testProgram has one verb that ostree has and one of ours; both print what they were given.
func testProgram() *Program {
	var dir bool
	var key string
	show := func(_ context.Context, inv *Invocation) error {
		fmt.Fprintf(inv.Stdout, "dir=%v key=%q repo=%q args=%q", dir, key, inv.Repo, inv.Args)
		if len(inv.Args) > 0 {
			switch inv.Args[0] {
			case "hint":
				return fmt.Errorf("verb: %w", hinted{})
			case "usage":
				return &UsageError{Text: "a word is needed"}
			case "errno":
				return fmt.Errorf("syncfs: %w", syscall.ENOSPC)
			case "capital":
				return fmt.Errorf("permission denied: %w: really", syscall.EACCES)
			case "norepo":
				return ErrNoRepo
			}
		}
		return nil
	}
	count := Func(func(v string) error {
		if key = v; strings.Trim(v, "0123456789") != "" {
			return fmt.Errorf("'%s'", v)
		}
		return nil
	}, "count", "n", "N", "A number")
	count.Ours, count.Count = true, true
	options := []Option{
		Flag(&dir, "dironly", "d", "Only the directory"),
		String(&key, "key", "k", "KEY", "A key"),
		count,
		{Name: "level", Values: []string{"high", "low"}, set: func(v string) error {
			if v == "high" || v == "low" {
				return nil
			}
			return errors.New("want high or low")
		}},
	}
	words := func(*Invocation, string) Completion { return Completion{Words: []string{"alpha", "beta"}} }
	return &Program{
		Name: "prog", Short: "test program", Long: "It does.\n\nMuch.", Version: "1.2", Features: []string{"one"},
		Verbs: []Verb{
			{Name: "ls", Args: "WORD", Short: "List", Options: options, Run: show, Complete: words, JSON: true,
				CompleteOptions: map[string]func(*Invocation, string) Completion{"key": words}},
			{Name: "mount", Args: "WORD", Short: "Mount", Ours: true, Options: options, Run: show,
				Complete: func(inv *Invocation, _ string) Completion {
					return Completion{Words: []string{fmt.Sprintf("%d/%v", inv.Before, inv.Dashes)}}
				},
				Examples: []Example{{"prog mount x", "mount x"}}},
			{Name: "size", Short: "Sizes", Hidden: true, Ours: true, Options: []Option{Flag(&dir, "human", "h", "For people"), count},
				Ends: func(args []string) bool { return len(args) == 2 && args[0] == "run" },
				Run: func(_ context.Context, inv *Invocation) error {
					fmt.Fprintf(inv.Stdout, "human=%v args=%q before=%d", dir, inv.Args, inv.Before)
					return nil
				}},
			CompletionVerb(), HelpVerb(), ManVerb(),
		},
	}
}

func run(args ...string) (code int, stdout, stderr string) {
	var out, errOut bytes.Buffer
	code = testProgram().run(context.Background(), args, &out, &errOut)
	return code, out.String(), errOut.String()
}

func TestCommandLines(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"ls a b", `dir=false key="" repo="" args=["a" "b"]`},
		{"--repo=r ls a", `dir=false key="" repo="r" args=["a"]`},
		{"--repo r ls a", `dir=false key="" repo="r" args=["a"]`},
		{"ls a --repo r", `dir=false key="" repo="r" args=["a"]`},
		{"ls --repo=a --repo=b", `dir=false key="" repo="b" args=[]`},
		{"-d -v ls a", `dir=true key="" repo="" args=["a"]`},
		{"ls -dk word a", `dir=true key="word" repo="" args=["a"]`},
		{"mount -dkword a", `dir=true key="word" repo="" args=["a"]`},
		{"mount -k -d a", `dir=false key="-d" repo="" args=["a"]`},
		{"mount -k=a", `dir=false key="=a" repo="" args=[]`},
		{"ls -dn12 a", `dir=true key="12" repo="" args=["a"]`},
		{"ls -n 12 a", `dir=false key="12" repo="" args=["a"]`},
		{"mount -12 a", `dir=false key="12" repo="" args=["a"]`},
		{"mount -- -12", `dir=false key="" repo="" args=["-12"]`},
		{"ls -k -d a", `dir=false key="-d" repo="" args=["a"]`},
		{"ls --dironly=no", `dir=true key="" repo="" args=[]`},
		{"ls --key= a", `dir=false key="" repo="" args=["a"]`},
		{"ls -- -d --repo=x", `dir=false key="" repo="" args=["-d" "--repo=x"]`},
		{"ls a -- -- b", `dir=false key="" repo="" args=["a" "--" "b"]`},
		{"-- ls a", `dir=false key="" repo="" args=["a"]`},
		{"ls - a", `dir=false key="" repo="" args=["-" "a"]`},
		{"size -h a -- b c", `human=true args=["a" "b" "c"] before=1`},
		{"size run -h x", `human=true args=["run" "x"] before=2`},
		{"size run x -h -- y", `human=false args=["run" "x" "-h" "--" "y"] before=5`},
		{"size -- run x -h", `human=false args=["run" "x" "-h"] before=0`},
	} {
		if code, out, errOut := run(strings.Fields(c.line)...); code != 0 || out != c.want || errOut != "" {
			t.Errorf("%s: exit %d\n got %s%s\nwant %s", c.line, code, out, errOut, c.want)
		}
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		line string
		code int
		want string // the end of stderr
		help bool   // the verb's or the program's help precedes it
	}{
		{"", 1, "error: No command specified\n", true},
		{"nope", 1, "error: Unknown command 'nope'\n", true},
		{"--nope", 1, "error: Unknown option --nope\n", true},
		{"--repo=r", 1, "error: Unknown option --repo=r\n", true},
		{"ls --nope=3", 1, "error: Unknown option --nope=3\n", false},
		{"ls -dx", 1, "error: Unknown option -dx\n", false},
		{"ls -d=x", 1, "error: Unknown option -d=x\n", false},
		{"ls --dir", 1, "error: Unknown option --dir\n", false},
		{"ls --key", 1, "error: Missing argument for --key\n", false},
		{"ls --nope --help", 1, "error: Unknown option --nope\n", false},
		{"ls usage", 1, "\n\nerror: a word is needed\n", true},
		{"ls norepo", 1, "exit\n\nerror: Command requires a --repo argument\n", true},
		{"ls hint", 1, "error: verb: cannot do it\nhint: `prog pull` does something else\n", false},
		{"ls errno", 1, "error: syncfs: No space left on device\n", false},
		{"ls capital", 1, "error: permission denied: permission denied: really\n", false},
		{"mount errno", 1, "error: syncfs: no space left on device\n", false},
		{"mount usage", 2, "error: a word is needed\nhint: usage: prog mount [OPTION…] WORD\n", false},
		{"mount --nope", 2, "error: Unknown option --nope\nhint: usage: prog mount [OPTION…] WORD\n", false},
		{"mount --level=3", 2, "error: --level: want high or low\nhint: usage: prog mount [OPTION…] WORD\n", false},
		{"mount norepo", 1, "error: Command requires a --repo argument\nhint: --repo=PATH says where it is, or OSTREE_REPO in the environment\n", false},
		{"ls -kk word", 1, "error: Error parsing option -k\n", false},
		{"ls -kdx word", 1, "error: Unknown option -kdx\n", false},
		{"ls -kword", 1, "error: Missing argument for -k\n", false},
		{"ls -n3x", 1, "error: --count: '3x'\n", false},
		{"completion csh", 2, "hint: usage: prog completion [OPTION…] bash|zsh|fish\n", false},
	} {
		code, _, errOut := run(strings.Fields(c.line)...)
		if code != c.code || !strings.HasSuffix(errOut, c.want) || strings.HasPrefix(errOut, "Usage:\n") != c.help {
			t.Errorf("%q: exit %d, want %d; stderr\n%s\nwant %q", c.line, code, c.code, errOut, c.want)
		}
	}
}

func TestHelpLayout(t *testing.T) {
	want := `Usage:
  prog mount [OPTION…] WORD

Mount

Help Options:
  -h, --help        Show help options

Application Options:
  --repo=PATH       Path to OSTree repository (defaults to current directory or /sysroot/ostree/repo)
  -d, --dironly     Only the directory
  -k, --key=KEY     A key
  -n, --count=N     A number
  --level           
  -v, --verbose     Print debug information during command processing
  --version         Print version information and exit

Examples:
  prog mount x
      mount x

`
	for _, line := range []string{"mount --help", "mount -dh", "mount -?", "mount --help --nope", "-h mount", "help mount"} {
		if code, out, _ := run(strings.Fields(line)...); code != 0 || out != want {
			t.Errorf("%s: exit %d\n%s", line, code, out)
		}
	}
}

// TestOwnHelpLetter: a verb may have -h for itself; then help does not claim it.
func TestOwnHelpLetter(t *testing.T) {
	code, out, _ := run("size", "--help")
	if code != 0 || !strings.Contains(out, "\n  --help            Show") || !strings.Contains(out, "\n  -h, --human       For") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// TestOwnVerboseLetter: a letter of the verb's own is not that of an option of all verbs.
func TestOwnVerboseLetter(t *testing.T) {
	p := testProgram()
	var view, verbose bool
	p.Verbs[0].Options = []Option{Flag(&view, "view", "v", "View it")}
	p.Verbs[0].Run = func(_ context.Context, inv *Invocation) error { verbose = inv.Verbose; return nil }
	for line, want := range map[string]bool{"ls -v": false, "ls -v --verbose": true} {
		view, verbose = false, false
		if code := p.run(context.Background(), strings.Fields(line), io.Discard, io.Discard); code != 0 || !view || verbose != want {
			t.Errorf("%s: exit %d, view %v, verbose %v", line, code, view, verbose)
		}
	}
	if help := p.help(&p.Verbs[0]); !strings.Contains(help, "  -v, --view ") || !strings.Contains(help, "  --verbose ") {
		t.Error(help)
	}
}

func TestVersion(t *testing.T) {
	for _, line := range []string{"--version", "ls --version", "nope --version"} {
		code, out, _ := run(strings.Fields(line)...)
		if want := "prog:\n Version: '1.2'\n Features:\n  - one\n"; code != 0 || out != want {
			t.Errorf("%s: exit %d, %q", line, code, out)
		}
	}
}

func TestInterrupted(t *testing.T) {
	p := testProgram()
	p.Verbs[0].Run = func(ctx context.Context, _ *Invocation) error { return ctx.Err() }
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errOut bytes.Buffer
	if code := p.run(ctx, []string{"ls"}, &out, &errOut); code != 130 || errOut.Len() > 0 {
		t.Errorf("exit %d, %q", code, errOut.String())
	}
}

func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	var errOut bytes.Buffer
	if code := testProgram().run(context.Background(), []string{"ls"}, full, &errOut); code != 1 || !strings.Contains(errOut.String(), "writing output") {
		t.Errorf("exit %d, %q", code, errOut.String())
	}
}

func TestCompletion(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"__complete", ""}, "completion\tPrint a completion script for a shell\nhelp\tShow help for a verb\nls\tList\nmount\tMount\n:4\n"},
		{[]string{"__complete", "ls", "a"}, "alpha\n:4\n"},
		{[]string{"__complete", "ls", "-3", "a"}, "alpha\n:4\n"},
		{[]string{"__complete", "mount", "x", "-n", "9", ""}, "1/false\n:4\n"},
		{[]string{"__complete", "mount", "x", "--", ""}, "1/true\n:4\n"},
		{[]string{"__complete", "--", "mount", "x", "y", ""}, "0/true\n:4\n"},
		{[]string{"__complete", "--repo", "r", "-v", "ls", ""}, "alpha\nbeta\n:4\n"},
		{[]string{"__complete", "ls", "--level", ""}, "high\nlow\n:4\n"},
		{[]string{"__complete", "ls", "--key=b"}, "beta\n:4\n"},
		{[]string{"__complete", "ls", "--dir"}, "--dironly\tOnly the directory\n:4\n"},
		{[]string{"__complete", "mount", "--repo", ""}, ":16\n"},
		{[]string{"__complete", "completion", "z"}, "zsh\n:4\n"},
		{[]string{"__complete", "help", "mo"}, "mount\n:4\n"},
	} {
		if _, out, _ := run(c.args...); out != c.want {
			t.Errorf("%q:\n got %q\nwant %q", c.args, out, c.want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if code, out, _ := run("completion", shell); code != 0 || !strings.Contains(out, "__complete") {
			t.Errorf("%s: exit %d, %d bytes", shell, code, len(out))
		}
	}
}

func TestManPages(t *testing.T) {
	dir := t.TempDir()
	if code, _, errOut := run("man", "--dir", dir); code != 0 {
		t.Fatal(errOut)
	}
	for name, wants := range map[string][]string{
		"prog.1":       {".TH PROG 1", "prog \\- test program", "It does.\n.PP\nMuch.", "\\fBprog\\-mount(1)\\fR", ".SH EXIT STATUS"},
		"prog-mount.1": {"prog\\-mount \\- Mount", "\\fB\\-k, \\-\\-key=KEY\\fR\nA key.", "\\fBprog mount x\\fR\nmount x"},
	} {
		page, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(string(page), want) {
				t.Errorf("%s lacks %q:\n%s", name, want, page)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "prog-man.1")); err == nil {
		t.Error("the hidden verb has a page")
	}
}

func TestRoffText(t *testing.T) {
	var r roff
	r.text(".dot\n'quote\n\nback\\slash a-b")
	if want := "\\&.dot\n\\&'quote\n.PP\nback\\eslash a\\-b\n"; r.String() != want {
		t.Errorf("got %q, want %q", r.String(), want)
	}
}

func TestText(t *testing.T) {
	if text, exact := Text("grün"); text != "grün" || exact != nil {
		t.Errorf("%q %q", text, exact)
	}
	if text, exact := Text("a\xffb"); text != "a\uFFFDb" || string(exact) != "a\xffb" {
		t.Errorf("%q %q", text, exact)
	}
}

// TestGiven holds that a verb learns which options it was given, in whatever way they are written.
func TestGiven(t *testing.T) {
	p := testProgram()
	options := p.options(&p.Verbs[0], new(Invocation), new(bool))
	read, err := parse(options, false, nil, []string{"-d", "--key", "a b", "x", "--key=", "--json", "--", "--key=y"})
	var words []string
	for _, g := range read.given {
		words = append(words, g.Word())
	}
	if got := strings.Join(words, "|"); err != nil || got != "--dironly|--key=a b|--key=|--json" || strings.Join(read.args, "|") != "x|--key=y" || read.before != 1 {
		t.Errorf("%q, %+v, %v", words, read, err)
	}
}
