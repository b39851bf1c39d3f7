package cli

import "strings"

// splitVerb takes the verb, which is the first argument without a dash, out of a command line.
// The value of a "--repo PATH" in front of it is no verb.
func splitVerb(args []string) (verb string, found bool, rest []string) {
	for i, arg := range args {
		if strings.HasPrefix(arg, "-") || i > 0 && args[i-1] == "--repo" {
			continue
		}
		return arg, true, append(args[:i:i], args[i+1:]...)
	}
	return "", false, args
}

// parser reads the options of one command line.
type parser struct {
	ours    bool // every option is this program's own
	options []Option
	ends    func(rest []string) bool // whether these arguments are the last of this program's own; may be nil
	args    []string                 // what is still to be read
	rest    []string                 // arguments that are no options
	given   []Given
}

// line is a command line that was read.
type line struct {
	args   []string // arguments that are no options
	before int      // so many of them stand before "--"
	dashes bool     // there is a "--"
	given  []Given
}

// parse sets the options that args hold and returns them and the other arguments. It stops with
// ErrHelp at the first --help, and with a [*UsageError] at the first wrong option. What follows on
// arguments that are the ends, which may be nil, is taken as it is. Letters take their values as
// [parser.short] says.
func parse(options []Option, ours bool, ends func([]string) bool, args []string) (line, error) {
	p := parser{ours: ours, options: options, ends: ends, args: args}
	for len(p.args) > 0 && (p.ends == nil || !p.ends(p.rest)) {
		arg := p.args[0]
		p.args = p.args[1:]
		var err error
		switch {
		case arg == "--":
			return line{append(p.rest, p.args...), len(p.rest), true, p.given}, nil
		case len(arg) < 2 || arg[0] != '-':
			p.rest = append(p.rest, arg)
		case arg[1] == '-':
			err = p.long(arg)
		default:
			err = p.short(arg)
		}
		if err != nil {
			return line{}, err
		}
	}
	p.rest = append(p.rest, p.args...)
	return line{p.rest, len(p.rest), false, p.given}, nil
}

// long reads --name, --name=value or --name value.
func (p *parser) long(arg string) error {
	name, value, given := strings.Cut(arg[2:], "=")
	if arg == "--help" || arg == "--help-all" {
		return ErrHelp
	}
	o := p.find(func(o *Option) bool { return o.Name == name })
	switch {
	case o == nil:
		return &UsageError{Text: "Unknown option " + arg, brief: true}
	case given:
		return p.apply(o, arg, value)
	}
	return p.next(o, arg)
}

// short reads a dash and one or more letters. The value of a letter is the next argument, as GLib has
// it, or what is left of this one, when the option is this program's own. A number alone is the value
// of the option that counts.
func (p *parser) short(arg string) error {
	if o := p.find(func(o *Option) bool { return o.Count }); o != nil && isCount(arg) {
		return p.apply(o, arg, arg[1:])
	}
	taken := false // the next argument is the value of a letter before
	for i, letter := range arg[1:] {
		o := p.find(func(o *Option) bool { return o.Short == string(letter) })
		switch {
		case o == nil && (letter == 'h' || letter == '?'):
			return ErrHelp
		case o == nil:
			return &UsageError{Text: "Unknown option " + arg, brief: true}
		}
		if rest := arg[1+i+len(string(letter)):]; rest != "" && !o.NoArg && (p.ours || o.Ours) {
			return p.apply(o, arg, rest)
		}
		if taken && !o.NoArg {
			return &UsageError{Text: "Error parsing option -" + string(letter), brief: true}
		}
		taken = taken || !o.NoArg
		if err := p.next(o, "-"+string(letter)); err != nil {
			return err
		}
	}
	return nil
}

// next applies an option whose value, if it takes one, is the next argument.
func (p *parser) next(o *Option, arg string) error {
	if o.NoArg {
		return p.apply(o, arg, "")
	}
	if len(p.args) == 0 {
		return &UsageError{Text: "Missing argument for " + arg, brief: true}
	}
	value := p.args[0]
	p.args = p.args[1:]
	return p.apply(o, arg, value)
}

func (p *parser) apply(o *Option, arg, value string) error {
	p.given = append(p.given, Given{o, value})
	if err := o.set(value); err != nil {
		return &UsageError{Text: "--" + o.Name + ": " + err.Error(), brief: true}
	}
	return nil
}

func (p *parser) find(is func(*Option) bool) *Option {
	for i := range p.options {
		if is(&p.options[i]) {
			return &p.options[i]
		}
	}
	return nil
}
