package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strings"
	"unicode/utf8"
)

// indent is what each level of JSON begins with.
const indent = "  "

// WriteJSON writes v as indented JSON and a newline, the form that every verb's --json prints.
//
// Field names are lower case words joined by "_" and stay as they are; fields may be added.
// Checksums are 64 hex digits. Bytes are base64. See [Text] for names that are not UTF-8. What
// would control a terminal is escaped.
func WriteJSON(w io.Writer, v any) error {
	if list := reflect.ValueOf(v); list.Kind() == reflect.Slice && !list.IsNil() && list.Type().Elem().Kind() != reflect.Uint8 {
		return WriteJSONList(w, func(yield func(any) bool) {
			for i := 0; i < list.Len() && yield(list.Index(i).Interface()); i++ {
			}
		})
	}
	text, err := jsonText(v, "")
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	return err
}

// WriteJSONList is [WriteJSON] of a list that is never in memory as a whole.
func WriteJSONList[T any](w io.Writer, list iter.Seq[T]) error {
	before, end := "[\n"+indent, "[]\n"
	for v := range list {
		text, err := jsonText(v, indent)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, before); err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		before, end = ",\n"+indent, "\n]\n"
	}
	_, err := io.WriteString(w, end)
	return err
}

// jsonText is v as JSON whose lines, but the first, begin with prefix.
func jsonText(v any, prefix string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, indent)
	err := enc.Encode(v)
	return escaped(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), err
}

// escaped writes DEL and U+0080 to U+009F, which control terminals and which package json takes for
// letters, as \u00XX. In JSON they can only stand in strings.
func escaped(text []byte) []byte {
	control := func(r rune) bool { return 0x7f <= r && r <= 0x9f }
	at := bytes.IndexFunc(text, control)
	if at < 0 {
		return text
	}
	out := append([]byte{}, text[:at]...)
	for rest := text[at:]; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if control(r) {
			out = fmt.Appendf(out, "\\u%04x", r)
		} else {
			out = append(out, rest[:size]...)
		}
		rest = rest[size:]
	}
	return out
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
