package gvariant

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// quoted reads a string or b'bytes' without its quotes and escapes.
func (p *textParser) quoted(kind nodeKind) (*node, error) {
	token, start, end := p.take()
	text := token[strings.IndexAny(token, `'"`):]
	u := unquoter{text: text, kind: kind, start: start, end: end}
	if err := u.run(); err != nil {
		return nil, err
	}
	text = u.out.String()
	if strings.IndexByte(text, 0) >= 0 { // GLib drops it and what follows
		return nil, textError(start, end, "a string can not hold a NUL")
	}
	return &node{kind: kind, text: text}, nil
}

type unquoter struct {
	text       string // from the quote on
	kind       nodeKind
	start, end int
	at         int
	out        strings.Builder
}

func (u *unquoter) run() error {
	for u.at = 1; u.at < len(u.text); {
		switch c := u.text[u.at]; c {
		case u.text[0]:
			return nil
		case '\\':
			u.at++
			if err := u.escape(); err != nil {
				return err
			}
		default:
			u.at++
			u.out.WriteByte(c)
		}
	}
	return textError(u.start, u.end, "unterminated string constant")
}

// escape reads what follows a backslash. One that says nothing special is dropped.
func (u *unquoter) escape() error {
	if u.at >= len(u.text) {
		return nil // run says that the string does not end
	}
	c := u.text[u.at]
	switch {
	case c == 'u' && u.kind == nodeString:
		return u.unicode(4)
	case c == 'U' && u.kind == nodeString:
		return u.unicode(8)
	case c >= '0' && c <= '7' && u.kind == nodeBytes:
		u.octal()
		return nil
	case c == '\n':
		u.at++
		return nil
	}
	if i := strings.IndexByte("abfnrtv", c); i >= 0 {
		c = "\a\b\f\n\r\t\v"[i]
	}
	u.at++
	u.out.WriteByte(c)
	return nil
}

// octal reads up to three digits; of a number above 255 the low bits count.
func (u *unquoter) octal() {
	n := 0
	for i := 0; i < 3 && u.at < len(u.text) && u.text[u.at] >= '0' && u.text[u.at] <= '7'; i++ {
		n = n*8 + int(u.text[u.at]-'0')
		u.at++
	}
	u.out.WriteByte(byte(n))
}

// unicode reads a character of so many hexadecimal digits.
func (u *unquoter) unicode(digits int) error {
	u.at++
	rest := u.text[u.at:]
	rest = rest[:min(digits, len(rest))]
	n := spanOf(rest, func(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' })
	r, err := strconv.ParseUint(rest[:n], 16, 32)
	if n < digits || err != nil || r == 0 || r > utf8.MaxRune || !utf8.ValidRune(rune(r)) {
		at := u.start + u.at
		return textError(at, at+n, "invalid "+strconv.Itoa(digits)+"-character unicode escape")
	}
	u.at += n
	u.out.WriteRune(rune(r))
	return nil
}
