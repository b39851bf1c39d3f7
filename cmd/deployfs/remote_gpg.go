package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/openpgp"
	"deployfs/objstore/remote"
	"deployfs/objstore/trust"
)

type remoteGPGImport struct {
	keyrings []string
	stdin    bool
}

func remoteGPGImportVerb() cli.Verb {
	var g remoteGPGImport
	return cli.Verb{
		Name: "gpg-import", Args: "NAME [KEY-ID...]", Short: "Import GPG keys",
		Long: "The keys go into the remote's keyring, NAME.trustedkeys.gpg in the repository; commits that are taken from the remote have to be signed with one of them. " +
			"With KEY-IDs, only these keys are imported. What is new of keys that are there already, such as a revocation, is added to them.",
		Options: []cli.Option{
			cli.Func(func(v string) error { g.keyrings = append(g.keyrings, v); return nil }, "keyring", "k", "FILE", "Import keys from a keyring file (repeatable)"),
			cli.Flag(&g.stdin, "stdin", "", "Import keys from standard input"),
		},
		Examples: []cli.Example{{Command: "deployfs remote gpg-import --keyring=key.asc origin", Text: "trust the key for what comes from origin"}},
		Complete: completeRemote,
		Run:      withRepo(g.run),
	}
}

func (g *remoteGPGImport) run(_ context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	switch {
	case len(inv.Args) == 0:
		return &cli.UsageError{Text: "NAME must be specified"}
	case g.stdin && g.keyrings != nil:
		return &cli.UsageError{Text: "--keyring and --stdin are mutually exclusive"}
	}
	sources, err := g.read()
	if err != nil {
		return err
	}
	list, err := remote.Load(repo)
	if err == nil {
		_, err = list.Find(inv.Args[0])
	}
	if err != nil {
		return fmt.Errorf("GPG: %w", err)
	}
	return importKeys(inv.Stdout, repo, inv.Args[0], sources, inv.Args[1:])
}

// maxStdin bounds what is read of keys from standard input, in bytes.
const maxStdin = 64 << 20

func (g *remoteGPGImport) read() (sources [][]byte, err error) {
	if g.stdin {
		data, err := io.ReadAll(io.LimitReader(os.Stdin, maxStdin))
		return [][]byte{data}, err
	}
	return readKeyrings(g.keyrings)
}

// readKeyrings reads files of keys.
func readKeyrings(paths []string) (sources [][]byte, err error) {
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil, cli.Words("Error opening file " + absolute(path) + ": No such file or directory")
		}
		if err != nil {
			return nil, err
		}
		sources = append(sources, data)
	}
	return sources, nil
}

// importKeys puts keys into a remote's keyring, and says how many.
func importKeys(out io.Writer, repo *objstore.Repo, name string, sources [][]byte, keyIDs []string) error {
	n, err := trust.ImportKeys(repo, name, sources, keyIDs)
	if err != nil {
		return fmt.Errorf("GPG: %w", err)
	}
	plural := "s"
	if n == 1 {
		plural = ""
	}
	_, err = fmt.Fprintf(out, "Imported %d GPG key%s to remote \"%s\"\n", n, plural, name)
	return err
}

func remoteGPGListKeysVerb() cli.Verb {
	return cli.Verb{
		Name: "gpg-list-keys", Args: "NAME", Short: "Show remote GPG keys", JSON: true,
		Long:     "Without NAME, the keys are shown that count for remotes that have no keyring.",
		Examples: []cli.Example{{Command: "deployfs remote gpg-list-keys origin", Text: "the keys that count for what comes from origin"}},
		Complete: completeRemote,
		Run:      withRepo(runRemoteGPGListKeys),
	}
}

func runRemoteGPGListKeys(_ context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	var ring openpgp.Keyring
	var err error
	if len(inv.Args) > 0 {
		ring, err = trust.RemoteKeys(repo, inv.Args[0])
	} else {
		ring, err = trust.GlobalKeys()
	}
	if err != nil {
		return err
	}
	if inv.JSON {
		return cli.WriteJSON(inv.Stdout, keysJSON(ring))
	}
	for _, k := range ring {
		if _, err := io.WriteString(inv.Stdout, k.Describe()); err != nil {
			return err
		}
	}
	return nil
}

// keyJSON is an OpenPGP key in JSON.
type keyJSON struct {
	keyPartJSON
	UserIDs []userIDJSON  `json:"user_ids"`
	Subkeys []keyPartJSON `json:"subkeys"`
}

type keyPartJSON struct {
	Fingerprint string     `json:"fingerprint"`
	Created     time.Time  `json:"created"`
	Expires     *time.Time `json:"expires,omitempty"`
	Expired     bool       `json:"expired,omitempty"`
	Revoked     bool       `json:"revoked,omitempty"`
	Invalid     bool       `json:"invalid,omitempty"`
}

type userIDJSON struct {
	UserID      string `json:"user_id"`
	Revoked     bool   `json:"revoked,omitempty"`
	AdvancedURL string `json:"advanced_update_url,omitempty"`
	DirectURL   string `json:"direct_update_url,omitempty"`
}

func keysJSON(ring openpgp.Keyring) []keyJSON {
	list := []keyJSON{}
	for _, k := range ring {
		j := keyJSON{keyPartJSON: newKeyPartJSON(k.Primary), UserIDs: []userIDJSON{}, Subkeys: []keyPartJSON{}}
		for _, id := range k.UserIDs {
			text, _ := cli.Text(id.Text)
			advanced, direct := id.UpdateURLs()
			j.UserIDs = append(j.UserIDs, userIDJSON{text, id.Revoked, advanced, direct})
		}
		for _, sub := range k.Subkeys {
			j.Subkeys = append(j.Subkeys, newKeyPartJSON(sub))
		}
		list = append(list, j)
	}
	return list
}

func newKeyPartJSON(p openpgp.Part) keyPartJSON {
	j := keyPartJSON{p.Fingerprint, p.Created.UTC(), nil, p.Expired, p.Revoked, p.Invalid}
	if !p.Expires.IsZero() {
		expires := p.Expires.UTC()
		j.Expires = &expires
	}
	return j
}
