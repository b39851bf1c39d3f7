package binding

import (
	"testing"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// commitOf is a commit that is bound to refs, unless they are nil, and to a collection, unless it is "".
func commitOf(bound []string, collection string) object.Commit {
	var entries []gvariant.Value
	add := func(key string, v gvariant.Value) {
		entries = append(entries, gvariant.NewEntry(gvariant.NewString(key), gvariant.NewVariant(v)))
	}
	if collection != "" {
		add(KeyCollection, gvariant.NewString(collection))
	}
	if bound != nil {
		var list []gvariant.Value
		for _, ref := range bound {
			list = append(list, gvariant.NewString(ref))
		}
		add(KeyRefs, gvariant.NewArray("s", list...))
	}
	return object.Commit{Metadata: gvariant.NewArray("{sv}", entries...)}
}

// TestCheck: a commit that is made for other refs, or for another collection, may not be served.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		commit          object.Commit
		collection, ref string
		want            string
	}{
		{commitOf(nil, ""), "", "main", ""},
		{commitOf([]string{"a", "main"}, ""), "", "main", ""},
		{commitOf([]string{"a"}, ""), "", "", ""},
		{commitOf([]string{"a", "b"}, ""), "", "main", "Commit has no requested ref ‘main’ in ref binding metadata (‘a’, ‘b’)"},
		{commitOf([]string{}, ""), "", "main", "Commit has no requested ref ‘main’ in ref binding metadata (no refs)"},
		{commitOf(nil, ""), "org.a", "main", "Expected commit metadata to have ref binding information, found none"},
		{commitOf([]string{"main"}, ""), "org.a", "main", "Expected commit metadata to have collection ID binding information, found none"},
		{commitOf([]string{"main"}, "org.b"), "org.a", "main", "Commit has collection ID ‘org.b’ in collection binding metadata, while the remote it came from has collection ID ‘org.a’"},
		{commitOf([]string{"main"}, "org.a"), "org.a", "main", ""},
	} {
		text := ""
		if err := Check(c.commit, c.collection, c.ref); err != nil {
			text = err.Error()
		}
		if text != c.want {
			t.Errorf("got %s, want %s", text, c.want)
		}
	}
	odd := object.Commit{Metadata: gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString(KeyRefs), gvariant.NewVariant(gvariant.NewByte(7))))}
	if err := Check(odd, "", "main"); err != nil {
		t.Error(err)
	}
}
