package fetch

import (
	"fmt"
	"net/http"
	"strings"
)

// header is the header that each request has.
func (c Config) header() http.Header {
	agent := c.Agent
	if agent == "" {
		agent = DefaultAgent
	}
	if c.UserAgent != "" {
		agent += " " + c.UserAgent
	}
	h := http.Header{"User-Agent": {agent}}
	for _, field := range c.Headers {
		if name := http.CanonicalHeaderKey(field.Name); name == "User-Agent" {
			h.Set(name, field.Value)
		} else {
			h.Add(name, field.Value)
		}
	}
	return h
}

// checkHeaders fails for a field that no request can have.
func (c Config) checkHeaders() error {
	fields := append([]Header{{"User-Agent", c.Agent + c.UserAgent}}, c.Headers...)
	for _, field := range fields {
		if field.Name == "" || strings.ContainsFunc(field.Name, notToken) {
			return fmt.Errorf("HTTP header %q: no name of a header", field.Name)
		}
		if strings.ContainsFunc(field.Value, isControl) {
			return fmt.Errorf("HTTP header %s: a control character in its value", field.Name)
		}
	}
	return nil
}

// notToken reports whether a character can't be in the name of a field; see RFC 9110, 5.6.2.
func notToken(c rune) bool {
	isLetter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	return !isLetter && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
}

func isControl(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }
