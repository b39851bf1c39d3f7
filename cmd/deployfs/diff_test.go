package main

import (
	"encoding/json"
	"testing"

	"deployfs/objstore/compare"
)

// TestAttrJSON: an xattr whose value is empty is not one that is absent.
func TestAttrJSON(t *testing.T) {
	got, err := json.Marshal(newAttr(compare.Attribute{Name: "user.x", IsXattr: true, New: []byte{}}))
	if want := `{"name":"user.x","xattr":true,"new_bytes":""}`; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
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
