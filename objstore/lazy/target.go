package lazy

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"deployfs/objstore/fetch"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

// Target names a commit that is on a server: URL#REF, or REMOTE:REF of a configured remote.
type Target struct {
	URL    string // "" for that of a remote
	Remote string // "" for a URL
	Ref    string // a ref or a checksum; "" is the only ref there is
	Back   int    // how many parents on
}

// IsURL reports whether text begins as the URL of a server or of a directory does.
func IsURL(text string) bool {
	for _, scheme := range []string{"http://", "https://", "file://"} {
		if strings.HasPrefix(text, scheme) {
			return true
		}
	}
	return false
}

// ParseTarget reads URL[#REF] or REMOTE:REF, where REF may have ^ behind it.
func ParseTarget(text string) (t Target, err error) {
	if IsURL(text) {
		t.URL, t.Ref, _ = strings.Cut(text, "#")
		t.URL = strings.TrimRight(t.URL, "/")
		if _, err := url.Parse(t.URL); err != nil {
			return t, fmt.Errorf("%s: no URL", Shown(t.URL))
		}
	} else if strings.Contains(text, "://") {
		return t, fmt.Errorf("%s: the URL must be one of http, https or file", Shown(text))
	} else if t.Remote, t.Ref, _ = strings.Cut(text, ":"); !refs.IsFragment(t.Remote) || t.Ref == "" {
		return t, fmt.Errorf("%s is neither URL#REF nor REMOTE:REF", Shown(text))
	}
	ref := strings.TrimRight(t.Ref, "^")
	t.Ref, t.Back = ref, len(t.Ref)-len(ref)
	switch {
	case t.Ref == "" && t.Back > 0:
		return t, errors.New("^ needs a ref before it")
	case t.Ref != "" && !object.IsChecksum(t.Ref):
		return t, refs.CheckRef(t.Ref)
	}
	return t, nil
}

// Shown is a URL as others may see it, without the password in it.
func Shown(text string) string { return fetch.Shown(text) }
