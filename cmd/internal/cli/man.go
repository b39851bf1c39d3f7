package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// ManVerb is the hidden verb that writes the man pages.
func ManVerb() Verb {
	var dir string
	return Verb{
		Name: "man", Short: "Write the man pages", Args: "[VERB]", Ours: true, NoRepo: true, Hidden: true,
		Options: []Option{String(&dir, "dir", "", "DIR", "Write every page into DIR instead of one to stdout")},
		Run: func(_ context.Context, inv *Invocation) error {
			p := inv.Program
			switch {
			case dir != "":
				return p.writePages(dir)
			case len(inv.Args) == 0:
				return p.page(inv.Stdout)
			}
			v, word, unknown, _ := p.lookup(inv.Args)
			if unknown {
				return &UsageError{Text: fmt.Sprintf("no verb '%s'", word)}
			}
			return p.verbPage(inv.Stdout, v)
		},
	}
}

func (p *Program) writePages(dir string) error {
	write := func(name string, page func(io.Writer) error) error {
		var b strings.Builder
		if err := page(&b); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name+".1"), []byte(b.String()), 0o666)
	}
	if err := write(p.Name, p.page); err != nil {
		return err
	}
	for v := range p.root().listed {
		if err := write(p.pageName(v), func(w io.Writer) error { return p.verbPage(w, v) }); err != nil {
			return err
		}
	}
	return nil
}

// roff collects a man page.
type roff struct{ strings.Builder }

// roffText protects text from the formatter.
var roffText = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n.", "\n\\&.", "\n'", "\n\\&'")

func (r *roff) section(title string) { fmt.Fprintf(r, ".SH %s\n", title) }

func (r *roff) text(s string) {
	s = strings.TrimPrefix(roffText.Replace("\n"+s), "\n")
	r.WriteString(strings.ReplaceAll(s, "\n\n", "\n.PP\n") + "\n")
}

// item is a term in bold and what it means.
func (r *roff) item(term, text string) {
	fmt.Fprintf(r, ".TP\n\\fB%s\\fR\n", roffText.Replace(term))
	r.text(text)
}

func (r *roff) items(title string, items []Example) {
	if len(items) > 0 {
		r.section(title)
		for _, e := range items {
			r.item(e.Command, e.Text)
		}
	}
}

func (p *Program) header(r *roff, name, short string) {
	fmt.Fprintf(r, ".TH %s 1 \"\" \"%s %s\" \"%s manual\"\n", strings.ToUpper(roffText.Replace(name)), p.Name, p.Version, p.Name)
	r.section("NAME")
	r.text(name + " - " + short)
}

// pageName is the name of a verb's page.
func (p *Program) pageName(v *Verb) string {
	return p.Name + "-" + strings.ReplaceAll(v.Name, " ", "-")
}

// verbs lists the pages of a group's verbs.
func (p *Program) verbs(r *roff, group *Verb) {
	r.section("VERBS")
	for _, below := range group.Verbs {
		if v := group.verb(below.Name); !v.Hidden {
			r.item(p.pageName(v)+"(1)", v.Short)
		}
	}
}

// page writes the page of the program.
func (p *Program) page(w io.Writer) error {
	var r roff
	p.header(&r, p.Name, p.Short)
	r.section("SYNOPSIS")
	r.text(p.Name + " [OPTION...] VERB [ARGUMENT...]")
	r.section("DESCRIPTION")
	r.text(p.Long)
	p.verbs(&r, p.root())
	r.items("FILES AND ENVIRONMENT", p.Files)
	r.section("EXIT STATUS")
	r.text("0 on success, 1 on failure. Wrong use gives 1 for verbs that ostree has and 2 for the others. 130 when a signal ended the program.")
	_, err := io.WriteString(w, r.String())
	return err
}

// verbPage writes the page of a verb.
func (p *Program) verbPage(w io.Writer, v *Verb) error {
	var r roff
	p.header(&r, p.pageName(v), v.Short)
	r.section("SYNOPSIS")
	r.text(p.Name + " " + v.Name + " [OPTION...] " + v.Args)
	r.section("DESCRIPTION")
	r.text(v.Short + ".")
	if v.Long != "" {
		r.WriteString(".PP\n")
		r.text(v.Long)
	}
	if v.Verbs != nil {
		p.verbs(&r, v)
	}
	r.section("OPTIONS")
	for _, o := range p.shown(v, new(Invocation)) {
		r.item(o.names(), o.Help+".")
	}
	r.items("EXAMPLES", v.Examples)
	r.section("SEE ALSO")
	r.text(p.Name + "(1)")
	_, err := io.WriteString(w, r.String())
	return err
}
