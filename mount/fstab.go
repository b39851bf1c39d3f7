package mount

import (
	"fmt"
	"strings"
)

// FstabOption is one of the options that mount(8) hands to a helper with -o.
type FstabOption struct {
	Name  string
	Value string
	Given bool // it has a value, an empty one perhaps
}

// SplitOptions reads a list of mount options as mount(8) writes it: separated
// by commas, of which those between double quotes and those behind a backslash
// belong to a value. These quotes and backslashes are taken away; any other
// byte stands for itself. Nothing between two commas is no option.
func SplitOptions(list string) ([]FstabOption, error) {
	var options []FstabOption
	var text strings.Builder
	quoted := false
	end := func() {
		if text.Len() > 0 {
			o := FstabOption{}
			o.Name, o.Value, o.Given = strings.Cut(text.String(), "=")
			options = append(options, o)
		}
		text.Reset()
	}
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			end()
		case c == '\\' && i+1 < len(list) && list[i+1] == ',':
			i++
			text.WriteByte(',')
		default:
			text.WriteByte(c)
		}
	}
	if quoted {
		return nil, fmt.Errorf("mount options %q: a double quote has no end", list)
	}
	end()
	return options, nil
}

// SplitSource splits the source of a mount, REPO#REV. A repository's path may
// have a # in it, the name of a commit can't. ok is false when a part is
// missing.
func SplitSource(source string) (repo, rev string, ok bool) {
	at := strings.LastIndexByte(source, '#')
	if at < 1 || at == len(source)-1 {
		return "", "", false
	}
	return source[:at], source[at+1:], true
}
