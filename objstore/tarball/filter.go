package tarball

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// ParseFilter reads REGEX,REPLACEMENT, and returns what replaces all matches in a
// path. In the replacement \0 to \9 and \g<NAME> stand for what matched, \\ for a
// backslash. Expressions are Go's, which have no look-around.
func ParseFilter(text string) (rename func(path string) string, err error) {
	pattern, replacement, ok := strings.Cut(text, ",")
	if !ok {
		return nil, errors.New("Missing ',' in --tar-pathname-filter")
	}
	expr, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("--tar-pathname-filter: Error while compiling regular expression ‘%s’: %w", pattern, err)
	}
	template, err := expandable(replacement)
	if err != nil {
		return nil, fmt.Errorf("--tar-pathname-filter: Error while parsing replacement text “%s”: %w", replacement, err)
	}
	return func(path string) string { return expr.ReplaceAllString(path, template) }, nil
}

// expandable is the replacement as package regexp writes it.
func expandable(text string) (string, error) {
	var out strings.Builder
	for text != "" {
		c := text[0]
		text = text[1:]
		switch {
		case c == '$':
			out.WriteString("$$")
		case c != '\\':
			out.WriteByte(c)
		case text == "":
			return "", errors.New("stray final '\\'")
		case text[0] >= '0' && text[0] <= '9':
			out.WriteString("${" + text[:1] + "}")
			text = text[1:]
		case text[0] == '\\':
			out.WriteByte('\\')
			text = text[1:]
		case strings.HasPrefix(text, "g<") && strings.IndexByte(text, '>') > 2:
			end := strings.IndexByte(text, '>')
			out.WriteString("${" + text[2:end] + "}")
			text = text[end+1:]
		default:
			return "", errors.New("unknown escape sequence")
		}
	}
	return out.String(), nil
}
