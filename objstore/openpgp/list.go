package openpgp

import (
	"crypto/sha1"
	"encoding/base32"
	"fmt"
	"net/url"
	"strings"
	"unicode"
)

// Describe tells of a key what `ostree remote gpg-list-keys` does. Times are local.
func (k *Key) Describe() string {
	var text strings.Builder
	k.Primary.describe(&text, "Key: ", "  ")
	for _, id := range k.UserIDs {
		advanced, direct := id.UpdateURLs()
		fmt.Fprintf(&text, "  UID: %s%s%s\n", printable(id.Text), mark(id.Revoked, "revoked"), mark(id.Invalid, "invalid"))
		fmt.Fprintf(&text, "  Advanced update URL: %s\n  Direct update URL: %s\n", advanced, direct)
	}
	for i := range k.Subkeys {
		k.Subkeys[i].describe(&text, "  Subkey: ", "    ")
	}
	return text.String()
}

// printable is text without control characters, which might pass for other lines.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return unicode.ReplacementChar
		}
		return c
	}, text)
}

func mark(is bool, word string) string {
	if is {
		return " (" + word + ")"
	}
	return ""
}

func (p *Part) describe(text *strings.Builder, title, indent string) {
	fmt.Fprintf(text, "%s%s%s%s\n", title, p.Fingerprint, mark(p.Revoked, "revoked"), mark(p.Invalid, "invalid"))
	fmt.Fprintf(text, "%sCreated: %s\n", indent, clock(p.Created))
	if !p.Expires.IsZero() {
		word := "Expires"
		if p.Expired && !p.Revoked && !p.Invalid { // of several states gpg tells one
			word = "Expired"
		}
		fmt.Fprintf(text, "%s%s: %s\n", indent, word, clock(p.Expires))
	}
}

// zbase32 is the alphabet in which the web key directory writes hashes.
var zbase32 = base32.NewEncoding("ybndrfg8ejkmcpqxot1uwisza345h769").WithPadding(base32.NoPadding)

// UpdateURLs are where the Web Key Directory has the key of a user id's address:
// by the advanced and by the direct method (draft-koch-openpgp-webkey-service).
// Both are "" when it has none.
func (id UserID) UpdateURLs() (advanced, direct string) {
	local, domain, ok := strings.Cut(id.mailbox(), "@")
	if !ok {
		return "", ""
	}
	hash := sha1.Sum([]byte(strings.ToLower(local)))
	rest := "/hu/" + zbase32.EncodeToString(hash[:]) + "?l=" + strings.ReplaceAll(url.QueryEscape(local), "+", "%20")
	return "https://openpgpkey." + domain + "/.well-known/openpgpkey/" + strings.ToLower(domain) + rest,
		"https://" + domain + "/.well-known/openpgpkey" + rest
}

// mailbox is a user id's address in lower case; "" when it has none.
func (id UserID) mailbox() string {
	address := id.Email
	if address == "" && !strings.ContainsAny(id.Text, " <>") {
		address = id.Text
	}
	local, domain, ok := strings.Cut(strings.ToLower(address), "@")
	if !ok || local == "" || domain == "" || strings.ContainsAny(address, " \t\"(),:;<>[\\]") || strings.Contains(domain, "@") || strings.Contains(address, "..") {
		return ""
	}
	return local + "@" + domain
}
