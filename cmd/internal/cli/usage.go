package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// HelpVerb is the verb that shows the help of another.
func HelpVerb() Verb {
	return Verb{
		Name: "help", Args: "[VERB]", Short: "Show help for a verb", Ours: true, NoRepo: true,
		Long: "The same as VERB --help; without a verb, the list of verbs.",
		Complete: func(inv *Invocation, _ string) (c Completion) {
			group, _, _, _ := inv.Program.lookup(inv.Args)
			for _, v := range group.Verbs {
				if !v.Hidden {
					c.Words = append(c.Words, v.Name)
				}
			}
			return c
		},
		Run: func(_ context.Context, inv *Invocation) error {
			v, word, unknown, _ := inv.Program.lookup(inv.Args)
			if unknown {
				return &UsageError{Text: fmt.Sprintf("no verb '%s'", word)}
			}
			_, err := inv.Stdout.WriteString(inv.Program.help(v))
			return err
		},
	}
}

// helpOption stands in every help text; the parser knows it by itself.
var helpOption = Option{Name: "help", Short: "h", Help: "Show help options", NoArg: true}

// usage is the short help of a verb, in GLib's layout: what precedes a message about wrong use.
func (p *Program) usage(v *Verb) string {
	options := p.shown(v, new(Invocation))
	if p.Terse {
		options = slices.DeleteFunc(options, func(o Option) bool { return o.Ours || o.Newer })
	}
	return p.layout(v.Name+" [OPTION…] "+v.Args, v.summary(), options)
}

// summary says what a verb is for, and lists the verbs of a group.
func (v *Verb) summary() string {
	text := v.Short
	switch {
	case v.Verbs == nil:
		return text
	case v.Name == "":
		text = "Builtin Commands:"
	default:
		text += fmt.Sprintf("\n\nBuiltin %q Commands:", v.Name)
	}
	for _, verb := range v.Verbs {
		if !verb.Hidden {
			text += fmt.Sprintf("\n  %-18s%s", verb.Name, verb.Short)
		}
	}
	return text
}

// kind is what messages call the verbs of a group.
func (v *Verb) kind() string {
	if v.Name == "" {
		return "command"
	}
	return fmt.Sprintf("%q subcommand", v.Name)
}

func (p *Program) layout(synopsis, summary string, options []Option) string {
	width, help := 0, helpOption
	if slices.ContainsFunc(options, func(o Option) bool { return o.Short == help.Short }) {
		help.Short = "" // it is the verb's
	}
	for _, o := range append(options, help) {
		width = max(width, utf8.RuneCountInString(o.names()))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Usage:\n  %s %s\n\n%s\n", p.Name, strings.TrimSpace(synopsis), summary)
	line := func(o Option) { fmt.Fprintf(&b, "  %-*s%s\n", width+5, o.names(), o.Help) }
	b.WriteString("\nHelp Options:\n")
	line(help)
	b.WriteString("\nApplication Options:\n")
	for _, o := range options {
		line(o)
	}
	b.WriteString("\n")
	return b.String()
}

// names is how help shows an option: "-r, --repo=PATH".
func (o *Option) names() string {
	text := "--" + o.Name
	if o.Short != "" {
		text = "-" + o.Short + ", " + text
	}
	if o.Arg != "" {
		text += "=" + o.Arg
	}
	return text
}

// help is what --help prints: usage, then what there is to know beyond it.
func (p *Program) help(v *Verb) string {
	var b strings.Builder
	b.WriteString(p.usage(v))
	if p.Terse {
		return b.String()
	}
	if v.Long != "" {
		b.WriteString(v.Long + "\n\n")
	}
	if len(v.Examples) > 0 {
		b.WriteString("Examples:\n")
		for _, e := range v.Examples {
			fmt.Fprintf(&b, "  %s\n      %s\n", e.Command, e.Text)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// VersionText is what --version prints: YAML, laid out as ostree's.
func (p *Program) VersionText() string {
	text := fmt.Sprintf("%s:\n Version: '%s'\n Features:\n", cmp.Or(p.Release, p.Name), p.Version)
	for _, f := range p.Features {
		text += "  - " + f + "\n"
	}
	return text
}
