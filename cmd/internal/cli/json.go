package cli

import (
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteJSON writes v as indented JSON and a newline, the form that every verb's --json prints.
//
// Field names are lower case words joined by "_" and stay as they are; fields may be added.
// Checksums are 64 hex digits. Bytes are base64. See [Text] for names that are not UTF-8.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// Text splits a file name or other text from a repository for JSON, which knows only Unicode.
// The first result is the text with U+FFFD for what is not UTF-8; the second holds the exact bytes
// then, and is nil otherwise. By convention a field "path" has a sibling "path_bytes,omitempty" of
// type []byte, so that no name is lost: when "path_bytes" is there, it counts.
func Text(s string) (text string, exact []byte) {
	if utf8.ValidString(s) {
		return s, nil
	}
	return strings.ToValidUTF8(s, "\uFFFD"), []byte(s)
}
