package unit

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape returns the name that systemd gives units after an absolute path:
// "mnt-a\x20b" for "/mnt/a b".
func Escape(name string) string {
	name = strings.Trim(path.Clean("/"+name), "/")
	if name == "" {
		return "-"
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '/':
			b.WriteByte('-')
		case c == '.' && i > 0, c == ':', c == '_', '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	return b.String()
}

// word returns text as one word of a command line in a unit.
func word(text string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("/._-+:,=@#~^", r)
	}
	if text != "" && utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + text[i:i+size])
		case r == '%' || r == '$':
			b.WriteString(text[i:i+size] + text[i:i+size])
		case r == utf8.RuneError && size == 1 || r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		default:
			b.WriteString(text[i : i+size])
		}
		i += size
	}
	b.WriteByte('"')
	return b.String()
}

// command returns words as one command line.
func command(words ...string) string {
	for i, w := range words {
		words[i] = word(w)
	}
	return strings.Join(words, " ")
}

// paths returns names as the value of a setting that is a list of paths, and
// leaves out those that can't stand there.
func paths(names ...string) string {
	var words []string
	for _, name := range names {
		if expressible(name) {
			words = append(words, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%").Replace(name)+`"`)
		}
	}
	return strings.Join(words, " ")
}

// literal returns text as the value of a setting that is one string.
func literal(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// expressible tells whether text can stand in a setting that is one string.
func expressible(text string) bool {
	return utf8.ValidString(text) && strings.TrimSpace(text) == text && !strings.HasSuffix(text, `\`) &&
		strings.IndexFunc(text, unicode.IsControl) < 0
}
