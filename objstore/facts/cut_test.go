package facts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"deployfs/objstore/gvariant"
)

// dict is an a{sv}.
func dict(entries ...gvariant.Value) gvariant.Value { return gvariant.NewArray("{sv}", entries...) }

func pair(key string, value gvariant.Value) gvariant.Value {
	return gvariant.NewEntry(gvariant.NewString(key), gvariant.NewVariant(value))
}

func TestCut(t *testing.T) {
	large := gvariant.NewBytes(bytes.Repeat([]byte{1}, 5000))
	var many []gvariant.Value
	for i := range 500 {
		many = append(many, pair(fmt.Sprint("key", i), gvariant.NewUint32(1)))
	}
	for _, c := range []struct {
		dict gvariant.Value
		want string
	}{
		{dict(), `{}`},
		{dict(pair("a", gvariant.NewString("x"))), `{"a":"x"}`},
		{dict(pair("a", gvariant.NewString("x")), pair("b", large)), `{"a":"x","b":{"bytes":5000,"type":"ay"}}`},
	} {
		got, err := json.Marshal(Cut(c.dict, 4000))
		if err != nil || string(got) != c.want {
			t.Errorf("%s, %v, want %s", got, err, c.want)
		}
	}
	if got := Cut(dict(many...), 4000); len(got) != 1 {
		t.Errorf("%d keys of %d", len(got), len(many))
	}
}
