package remote

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"deployfs/objstore/fetch"
)

// maxMirrors is how many entries of a list of mirrors or metalink count: each may cost a request.
const maxMirrors = 100

// mirrorsOf returns the base URLs for a configured one, the preferred first. One of
// "mirrorlist=URL" is a list of them there; its first one that has a repository's config comes first.
func mirrorsOf(ctx context.Context, c fetch.Config, configured string) ([]string, error) {
	address, isList := strings.CutPrefix(configured, "mirrorlist=")
	if !isList {
		return []string{configured}, nil
	}
	text, err := fetch.Address(ctx, c, address, maxMetadata)
	if err != nil {
		return nil, fmt.Errorf("While fetching mirrorlist '%s': %w", fetch.Shown(address), err)
	}
	mirrors := parseMirrors(string(text))
	for _, retries := range []int{0, c.Retries} { // the patient way only when no mirror answers at once
		for i, mirror := range mirrors {
			probe := c
			probe.URLs, probe.Retries = []string{mirror}, retries
			if answers(ctx, probe) {
				return mirrors[i:], nil
			}
			if err := context.Cause(ctx); err != nil {
				return nil, err
			}
		}
	}
	return nil, fmt.Errorf("No valid mirrors were found in mirrorlist '%s'", fetch.Shown(address))
}

// parseMirrors reads a list of mirrors: http and https URLs, a line each. Other lines say nothing.
func parseMirrors(text string) (mirrors []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		u, err := url.Parse(line)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			continue
		}
		if mirrors = append(mirrors, line); len(mirrors) == maxMirrors {
			break
		}
	}
	return mirrors
}

// answers reports whether a place has a repository's config.
func answers(ctx context.Context, c fetch.Config) bool {
	client, err := fetch.New(c)
	if err != nil {
		return false
	}
	defer client.Close()
	_, err = client.Get(ctx, fetch.File{Path: "config"}, maxMetadata)
	return err == nil
}
