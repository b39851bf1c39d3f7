package cli

import (
	"bufio"
	"context"
	"io"
	"slices"
	"strings"
)

// Program describes an executable.
type Program struct {
	Name     string
	Short    string    // what it is, one line
	Long     string    // for the man page, paragraphs separated by an empty line
	Version  string    // its number alone
	Release  string    // what --version calls the program; Name when empty
	Features []string  // what this build can do, printed by --version
	Files    []Example // files and environment variables that it looks at, for the man page
	Verbs    []Verb    // in the order in which help lists them
	Terse    bool      // it has ostree's form: help is the usage alone without options that are ours; no pager, no colours in output, no notes
}

// Verb describes one command of a program.
type Verb struct {
	Name     string
	Args     string // what follows the options in its synopsis, such as "COMMIT [PATH...]"
	Short    string // one line
	Long     string // paragraphs separated by an empty line
	Ours     bool   // ostree has no such verb
	NoRepo   bool   // it takes no --repo, or has it among Options; a group that takes it leaves it to its verbs
	JSON     bool   // it takes --json
	Hidden   bool   // help does not list it
	Raw      bool   // a terminal gets what it prints as it is, even what controls it
	Pager    bool   // what it prints on a terminal goes through a pager, and takes --no-pager; it shows no progress once it prints
	Options  []Option
	Examples []Example
	Ends     func(args []string) bool // whether these arguments end its options: the rest is for another program; nil is never
	Verbs    []Verb                   // the second words of a verb that is a group: it has no Run
	Run      func(context.Context, *Invocation) error
	Complete func(inv *Invocation, word string) Completion // of arguments; nil completes files

	CompleteOptions map[string]func(inv *Invocation, word string) Completion // of options' values, by name
}

// Example is a command line (or a name) and what it does.
type Example struct{ Command, Text string }

// Invocation is one run of a verb.
type Invocation struct {
	Program   *Program
	Args      []string // what the options left
	Before    int      // so many of Args stand before "--": all, when there is none
	Dashes    bool     // there is a "--"
	Given     []Given  // the options, in their order
	Repo      string   // argument of --repo
	RepoGiven bool
	Verbose   bool
	JSON      bool
	Stdout    *bufio.Writer // flushed when the verb returns
	Stderr    io.Writer

	colour  bool
	noPager bool
	notes   []string
}

// Note has a line printed on Stderr when the verb has returned and a pager, which it would disturb,
// has ended.
func (inv *Invocation) Note(line string) { inv.notes = append(inv.notes, line) }

// Option describes an option. Use [Flag], [String] or [Func] to make one.
type Option struct {
	Name   string
	Short  string // one letter, or empty
	Arg    string // what stands for the value in help, may be empty
	Help   string
	NoArg  bool
	Values []string // the values there are, for completion; nil completes files
	Ours   bool     // ostree's verb has no such option; one of a verb of ours needs no mark
	Newer  bool     // a Terse program's help does not list it: it came to ostree later
	Hidden bool     // help does not list it
	Count  bool     // -3 is short for it with the value 3

	repo bool // its value is the invocation's repository
	set  func(value string) error
}

// Given is an option as a command line has it.
type Given struct {
	*Option
	Value string
}

// Word is the option as one word of a command line, whatever way it was written: --name=value.
func (g Given) Word() string {
	if g.NoArg && g.Value == "" {
		return "--" + g.Name
	}
	return "--" + g.Name + "=" + g.Value
}

// Flag is an option without a value that sets *p.
func Flag(p *bool, name, short, help string) Option {
	set := func(string) error { *p = true; return nil }
	return Option{Name: name, Short: short, Help: help, NoArg: true, set: set}
}

// String is an option that puts its value into *p; the last one counts.
func String(p *string, name, short, arg, help string) Option {
	return Func(func(v string) error { *p = v; return nil }, name, short, arg, help)
}

// Func is an option whose value is given to set. What set returns is reported as wrong use.
func Func(set func(string) error, name, short, arg, help string) Option {
	return Option{Name: name, Short: short, Arg: arg, Help: help, set: set}
}

// Hidden takes an option out of help, man page and completion.
func Hidden(o Option) Option {
	o.Hidden = true
	return o
}

// Newer takes an option out of the help of a [Program] that is Terse.
func Newer(o Option) Option {
	o.Newer = true
	return o
}

// Repo is --repo for a verb that says NoRepo to have it among its own options.
func Repo(help string) Option { return Option{Name: "repo", Arg: "PATH", Help: help, repo: true} }

// Completion is what may stand where the cursor is.
type Completion struct {
	Words []string // only those that begin with the word under the cursor are shown
	Files bool     // names of files, too
	Dirs  bool     // names of directories, too
	Open  bool     // a chosen word may go on: no blank after it
}

// global are the options of every verb and of the program itself.
func (p *Program) global(inv *Invocation, version *bool) []Option {
	return []Option{
		Flag(&inv.Verbose, "verbose", "v", "Print debug information during command processing"),
		Flag(version, "version", "", "Print version information and exit"),
	}
}

// options are all options of v, in the order in which help lists them.
func (p *Program) options(v *Verb, inv *Invocation, version *bool) []Option {
	var all []Option
	if !v.NoRepo {
		all = append(all, Repo("Path to OSTree repository (defaults to current directory or /sysroot/ostree/repo)"))
	}
	all = append(all, v.Options...)
	for i := range all {
		if all[i].repo {
			all[i].set = func(path string) error { inv.Repo, inv.RepoGiven = path, true; return nil }
		}
	}
	if v.JSON {
		all = append(all, ours(Flag(&inv.JSON, "json", "", "Print JSON")))
	}
	if v.Pager {
		all = append(all, ours(Flag(&inv.noPager, "no-pager", "", "Do not show the output in a pager")))
	}
	for _, o := range p.global(inv, version) {
		if slices.ContainsFunc(all, func(own Option) bool { return own.Short == o.Short }) {
			o.Short = "" // it is the verb's
		}
		all = append(all, o)
	}
	return all
}

// ours marks an option that ostree's verb has not.
func ours(o Option) Option {
	o.Ours = true
	return o
}

// shown are the options of v that help lists.
func (p *Program) shown(v *Verb, inv *Invocation) []Option {
	return slices.DeleteFunc(p.options(v, inv, new(bool)), func(o Option) bool { return o.Hidden })
}

// root is the group of all verbs; it has no name.
func (p *Program) root() *Verb { return &Verb{Args: "COMMAND", NoRepo: true, Verbs: p.Verbs} }

// lookup finds the verb that the words of a command line name, which it takes out of args. Where a
// word, or its absence, names none, v is the group that lacks it.
func (p *Program) lookup(args []string) (v *Verb, word string, found bool, rest []string) {
	v, rest = p.root(), args
	for v.Verbs != nil {
		word, found, rest = splitVerb(rest)
		next := v.verb(word)
		if next == nil {
			return v, word, found, rest
		}
		v = next
	}
	return v, "", false, rest
}

// verb returns the verb name of a group, under its full name.
func (v *Verb) verb(name string) *Verb {
	for _, verb := range v.Verbs {
		if verb.Name == name {
			verb.Name = strings.TrimPrefix(v.Name+" "+name, " ")
			return &verb
		}
	}
	return nil
}

// listed yields the verbs below v that help lists, under their full names, groups before what is in them.
func (v *Verb) listed(yield func(*Verb) bool) {
	for _, below := range v.Verbs {
		verb := v.verb(below.Name)
		if !verb.Hidden {
			if !yield(verb) {
				return
			}
			verb.listed(yield)
		}
	}
}
