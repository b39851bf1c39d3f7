package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// CompletionVerb is the verb that prints a completion script for a shell.
func CompletionVerb() Verb {
	shells := []string{"bash", "zsh", "fish"}
	return Verb{
		Name: "completion", Args: "bash|zsh|fish", Short: "Print a completion script for a shell", Ours: true, NoRepo: true,
		Long: "The script completes verbs, options, refs of the repository, paths inside a commit and directories.",
		Examples: []Example{
			{"deployfs completion bash > /usr/share/bash-completion/completions/deployfs", "for every user of bash"},
			{"deployfs completion zsh > ~/.zfunc/_deployfs", "for zsh, where ~/.zfunc is in $fpath"},
			{"deployfs completion fish > ~/.config/fish/completions/deployfs.fish", "for fish"},
		},
		Complete: func(*Invocation, string) Completion { return Completion{Words: shells} },
		Run: func(_ context.Context, inv *Invocation) error {
			if len(inv.Args) != 1 {
				return &UsageError{Text: "one shell is needed: bash, zsh or fish"}
			}
			return inv.Program.script(inv.Args[0], inv.Stdout)
		},
	}
}

func (p *Program) script(shell string, w io.Writer) error {
	root := p.tree(false)
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(w, true)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		return root.GenFishCompletion(w, true)
	}
	return &UsageError{Text: fmt.Sprintf("no completion for shell '%s': there is bash, zsh and fish", shell)}
}

// isCompletionRequest tells whether a completion script asks.
func isCompletionRequest(verb string) bool {
	return verb == cobra.ShellCompRequestCmd || verb == cobra.ShellCompNoDescRequestCmd
}

// complete answers a completion script: args are the request, the words before the cursor, and the
// word under it.
func (p *Program) complete(args []string, stdout io.Writer) int {
	dashes := false
	if last := len(args) - 1; last > 0 {
		words := slices.DeleteFunc(slices.Clone(args[1:last]), isCount)
		dashes = slices.Contains(words, "--")
		v, word, found, rest := p.lookup(words)
		named := strings.Fields(v.Name)
		if found {
			named = append(named, word)
		}
		if v.Verbs != nil && (len(rest) == 0 || rest[len(rest)-1] != "--repo") {
			rest = nil // options for a verb that is not there yet
		}
		args = slices.Concat(args[:1], named, rest, args[last:])
	}
	root := p.tree(dashes)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(io.Discard)
	if root.Execute() != nil {
		return 1
	}
	return 0
}

// isCount tells a number that an option of its own takes, such as -3, of which pflag knows nothing.
func isCount(word string) bool {
	return len(word) > 1 && word[0] == '-' && strings.Trim(word[1:], "0123456789") == ""
}

// tree is the table as cobra knows it; dashes tells that a "--" stands before the word. Only
// completion uses it.
func (p *Program) tree(dashes bool) *cobra.Command {
	root := &cobra.Command{Use: p.Name, SilenceErrors: true, SilenceUsage: true}
	root.CompletionOptions.DisableDefaultCmd = true
	addFlags(root, p.global(new(Invocation), new(bool)))
	for i := range p.Verbs {
		switch v := &p.Verbs[i]; {
		case v.Name == "help":
			root.SetHelpCommand(p.command(v, dashes)) // else cobra adds its own
		case !v.Hidden:
			root.AddCommand(p.command(v, dashes))
		}
	}
	return root
}

func (p *Program) command(v *Verb, dashes bool) *cobra.Command {
	inv := &Invocation{Program: p}
	cmd := &cobra.Command{Use: v.Name, Short: v.Short, Run: func(*cobra.Command, []string) {}}
	options := p.shown(v, inv)
	if slices.ContainsFunc(options, func(o Option) bool { return o.Short == helpOption.Short }) {
		cmd.Flags().Bool(helpOption.Name, false, "help for "+v.Name) // cobra's own takes the letter, too
	}
	addFlags(cmd, options)
	for name, complete := range v.CompleteOptions {
		cmd.RegisterFlagCompletionFunc(name, func(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			inv.Args = args
			return complete(inv, word).answer(word)
		})
	}
	for i := range v.Verbs {
		cmd.AddCommand(p.command(&v.Verbs[i], dashes))
	}
	if v.Complete != nil {
		cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			inv.Args, inv.Before, inv.Dashes = args, len(args), dashes
			if dashes {
				inv.Before = cmd.ArgsLenAtDash()
			}
			return v.Complete(inv, word).answer(word)
		}
	}
	return cmd
}

// answer is c as cobra passes it to a script.
func (c Completion) answer(word string) ([]string, cobra.ShellCompDirective) {
	var words []string
	for _, w := range c.Words {
		if strings.HasPrefix(w, word) {
			words = append(words, w)
		}
	}
	switch {
	case c.Files:
		return words, cobra.ShellCompDirectiveDefault
	case c.Dirs:
		return words, cobra.ShellCompDirectiveFilterDirs
	case c.Open:
		return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

func addFlags(cmd *cobra.Command, options []Option) {
	for i := range options {
		o := &options[i]
		flag := cmd.Flags().VarPF((*flagValue)(o), o.Name, o.Short, o.Help)
		switch {
		case o.NoArg:
			flag.NoOptDefVal = "true"
		case o.Arg == "DIR" || o.Name == "repo":
			cmd.MarkFlagDirname(o.Name)
		case o.Values != nil:
			values := Completion{Words: o.Values}
			cmd.RegisterFlagCompletionFunc(o.Name, func(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
				return values.answer(word)
			})
		}
	}
}

// flagValue is an option as pflag wants it.
type flagValue Option

var _ pflag.Value = (*flagValue)(nil)

func (f *flagValue) Set(value string) error { return f.set(value) }
func (f *flagValue) String() string         { return "" }
func (f *flagValue) Type() string           { return f.Arg }
