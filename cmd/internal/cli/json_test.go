package cli

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestWriteJSON holds that lists, which are written piece by piece, look as package json writes them.
func TestWriteJSON(t *testing.T) {
	type row struct {
		A string   `json:"a"`
		B []int    `json:"b"`
		C *float64 `json:"c,omitempty"`
	}
	for _, v := range []any{nil, 1, "x<&>", []byte("abc"), []row(nil), []row{}, []row{{A: "1"}}, []row{{"1", []int{}, nil}, {"é\u2028", []int{1, 2}, nil}}, []any{nil, []int{1}, map[string]any{"x": []string{"y"}}}, row{}} {
		var want, got bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(v); err != nil {
			t.Fatal(err)
		}
		if err := WriteJSON(&got, v); err != nil || got.String() != want.String() {
			t.Errorf("%v: %v\n%s\nwant\n%s", v, err, got.String(), want.String())
		}
	}
	if err := WriteJSON(&bytes.Buffer{}, []any{func() {}}); err == nil {
		t.Error("a function is JSON")
	}
}

// TestJSONControls holds that nothing that controls a terminal gets through, and nothing is lost.
func TestJSONControls(t *testing.T) {
	var all []rune
	for r := rune(0); r < 0x250; r++ {
		all = append(all, r)
	}
	want := map[string]string{string(all): string(all)}
	for _, v := range []any{want, []any{want}} {
		var b bytes.Buffer
		if err := WriteJSON(&b, v); err != nil {
			t.Fatal(err)
		}
		if at := strings.IndexFunc(b.String(), func(r rune) bool { return r < ' ' && r != '\n' || 0x7f <= r && r < 0xa0 }); at >= 0 {
			t.Errorf("%q", b.String()[at:])
		}
		if !strings.Contains(b.String(), `~\u007f\u0080`) || !strings.Contains(b.String(), "\\u009f\u00a0") {
			t.Errorf("%q", b.String())
		}
		got := map[string]string{}
		if err := json.Unmarshal(bytes.Trim(b.Bytes(), "[]\n"), &got); err != nil || !slices.Equal([]rune(got[string(all)]), all) {
			t.Errorf("%v, %q", err, got)
		}
	}
}
