package remote

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/sign"
)

// Setting is a key of a remote and its value.
type Setting struct {
	key string
	raw string // as it stands in a key file
}

// Text is a setting whose value is text.
func Text(key, value string) Setting { return Setting{key, objstore.KeyText(value)} }

// Words is a setting whose value is a list.
func Words(key string, items []string) Setting { return Setting{key, objstore.KeyList(items)} }

// URL is the setting that says where a remote is; one of "metalink=URL" is a metalink there.
func URL(url string) Setting {
	if link, ok := strings.CutPrefix(url, "metalink="); ok {
		return Text("metalink", link)
	}
	return Text("url", url)
}

// ParseSetting reads KEY=VALUE.
func ParseSetting(text string) (Setting, error) {
	key, value, ok := strings.Cut(text, "=")
	if !ok {
		return Setting{}, errors.New("Missing '=' in KEY=VALUE for --set")
	}
	return Text(key, value), nil
}

// ParseVerify reads ENGINE=inline:KEY or ENGINE=file:PATH, which says whose signatures of a remote
// count. The settings end with sign-verify, which names all engines.
func ParseVerify(specs []string) (settings []Setting, err error) {
	var named []string
	for _, spec := range specs {
		engine, source, ok := strings.Cut(spec, "=")
		form, key, colon := strings.Cut(source, ":")
		kind, known := map[string]string{"inline": "key", "file": "file"}[form]
		switch {
		case !ok:
			return nil, fmt.Errorf("Failed to parse KEYTYPE=[inline|file]:DATA in %s", spec)
		case !slices.Contains(sign.Names(), engine):
			return nil, sign.ErrNoScheme
		case !known:
			return nil, fmt.Errorf("Invalid key reference %s, expected inline|file", form)
		case !colon:
			return nil, fmt.Errorf("Failed to parse KEYTYPE=[inline|file]:DATA in %s", spec)
		}
		named = append(named, engine)
		settings = append(settings, Text("verification-"+engine+"-"+kind, key))
	}
	if named == nil {
		return nil, nil
	}
	return append(settings, Text("sign-verify", strings.Join(named, ","))), nil
}
