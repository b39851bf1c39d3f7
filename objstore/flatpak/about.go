package flatpak

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
)

// group is that of a config in which flatpak's own keys are.
const group = "flatpak"

// texts are keys whose values are told as they are.
var texts = []string{"title", "comment", "description", "homepage", "icon", "redirect-url", "default-branch", "authenticator-name"}

// about is what the config tells of the repository.
func about(repo *objstore.Repo) (entries []gvariant.Value, err error) {
	config := repo.Config()
	for _, key := range config.Keys(group) {
		text, _ := config.Get(group, key)
		switch {
		case slices.Contains(texts, key), strings.HasPrefix(key, "authenticator-options."):
			entries = append(entries, entry("xa."+key, gvariant.NewString(text)))
		case key == "authenticator-install":
			install, err := config.Bool(group, key, false)
			if err != nil {
				return nil, err
			}
			entries = append(entries, entry("xa."+key, gvariant.NewBool(install)))
		case key == "gpg-keys":
			keys, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
			if err != nil {
				return nil, fmt.Errorf("config: flatpak.gpg-keys: %w", err)
			}
			entries = append(entries, entry("xa.gpg-keys", gvariant.NewBytes(keys)))
		}
	}
	id, err := collection(repo)
	return append(entries, id...), err
}

// collection tells remotes of this repository its collection id, where the config
// wants that: all of them, or those that can be pulled from elsewhere, too.
func collection(repo *objstore.Repo) ([]gvariant.Value, error) {
	id := repo.Collection()
	for _, c := range []struct{ key, name string }{
		{"deploy-collection-id", "ostree.deploy-collection-id"}, {"deploy-sideload-collection-id", "xa.deploy-collection-id"},
	} {
		wanted, err := repo.Config().Bool(group, c.key, false)
		if err != nil {
			return nil, err
		}
		if wanted && id != "" {
			return []gvariant.Value{entry(c.name, gvariant.NewString(id))}, nil
		}
	}
	return nil, nil
}
