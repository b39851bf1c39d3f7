package main

import "testing"

// TestVisible: what a file holds can't act on a terminal.
func TestVisible(t *testing.T) {
	for line, want := range map[string]string{
		"+plain\ttext": "+plain\ttext", "-ü 日本": "-ü 日本", " \x1b[31m\a\x00": " ^[[31m^G^@", "+\x7f\r": "+^?^M",
		"+\xff\xc3": `+\377\303`, "+\u009b31m\u0085": `+\302\23331m\302\205`, "+\ufffd": "+\ufffd",
	} {
		if got := visible(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestParseOwner(t *testing.T) {
	for text, want := range map[string]int{"-1": -1, "0": 0, "7": 7, " 0x10": 16, "010": 8, "2147483647": 2147483647} {
		if got, err := parseOwner("owner-uid", text); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"": "Cannot parse integer value “” for --owner-uid", "x": "Cannot parse integer value “x” for --owner-uid",
		"2147483648": "Integer value “2147483648” for --owner-uid out of range",
	} {
		if _, err := parseOwner("owner-uid", text); err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}
