package gvariant

import "strings"

// textParser reads tokens of a text and makes nodes of them.
type textParser struct {
	text string
	// at and end are where the token lies that was scanned last.
	at, end int
	scanned bool
}

// scan finds the next token, unless the last one was not taken yet. At the
// end of the text the token is empty.
func (p *textParser) scan() string {
	if p.scanned {
		return p.text[p.at:p.end]
	}
	p.at = p.end
	for p.at < len(p.text) && isSpace(p.text[p.at]) {
		p.at++
	}
	p.end = p.at + tokenLen(p.text[p.at:])
	p.scanned = true
	return p.text[p.at:p.end]
}

// take consumes the token and tells where it lay.
func (p *textParser) take() (token string, start, end int) {
	token = p.scan()
	p.scanned = false
	return token, p.at, p.end
}

// accept consumes the token if it is want.
func (p *textParser) accept(want string) bool {
	if p.scan() != want {
		return false
	}
	p.scanned = false
	return true
}

// require consumes the token, which must be want.
func (p *textParser) require(want, purpose string) error {
	if p.accept(want) {
		return nil
	}
	return textError(p.at, p.at, "expected "+purpose)
}

// fail is an error about the whole token.
func (p *textParser) fail(reason string) error {
	p.scan()
	return textError(p.at, p.end, reason)
}

// tokenLen is the length in bytes of the token that s starts with.
func tokenLen(s string) int {
	switch {
	case s == "":
		return 0
	case strings.IndexByte("-+.0123456789", s[0]) >= 0:
		return spanOf(s, func(c byte) bool { return isAlnum(c) || strings.IndexByte("-+.", c) >= 0 })
	case s[0] == '\'' || s[0] == '"':
		return quotedLen(s, 1)
	case len(s) > 1 && s[0] == 'b' && (s[1] == '\'' || s[1] == '"'):
		return quotedLen(s, 2)
	case s[0] >= 'a' && s[0] <= 'z':
		return spanOf(s, isAlnum)
	case s[0] == '@':
		return typeLen(s)
	}
	return 1
}

// quotedLen is the length of a quoted token, of which s has open bytes up to
// the text; one that does not end reaches to the end of s.
func quotedLen(s string, open int) int {
	for i := open; i < len(s); i++ {
		switch s[i] {
		case s[open-1]:
			return i + 1
		case '\\':
			i++
		}
	}
	return len(s)
}

// typeLen is the length of a token @TYPE: up to a space, a comma, a colon or a
// bracket that it did not open.
func typeLen(s string) int {
	depth := 0
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case isSpace(c) || strings.IndexByte(",:>]", c) >= 0:
			return i
		case c == '(' || c == '{':
			depth++
		case c == ')' || c == '}':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return len(s)
}

// spanOf is how many bytes at the start of s all satisfy in.
func spanOf(s string, in func(byte) bool) int {
	for i := range len(s) {
		if !in(s[i]) {
			return i
		}
	}
	return len(s)
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' && c != '\v' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isAlnum(c byte) bool { return isDigit(c) || isAlpha(c) }
