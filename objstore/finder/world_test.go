package finder

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/sign"
	"deployfs/objstore/summary"
	"deployfs/objstore/transaction"
)

const us = "org.example.Us"

// key is a secret key by its seed, in base64, and its public half.
func key(seed string) (secret, public string) {
	k := ed25519.NewKeyFromSeed([]byte(strings.Repeat(seed, ed25519.SeedSize)))
	return base64.StdEncoding.EncodeToString(k), base64.StdEncoding.EncodeToString(k.Public().(ed25519.PublicKey))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newRepo makes a repository that nothing makes durable. Config goes on in the group core.
func newRepo(t *testing.T, path, config string) *objstore.Repo {
	t.Helper()
	check(t, os.MkdirAll(path, 0o755))
	repo, err := objstore.Create(path, objstore.Setup{Mode: objstore.Archive})
	check(t, err)
	t.Cleanup(func() { repo.Close() })
	check(t, repo.WriteConfig([]byte("[core]\nrepo_version=1\nmode=archive-z2\nfsync=false\n"+config)))
	return repo
}

// newClient is a repository with a remote of our collection whose commits "a" signs.
func newClient(t *testing.T) *objstore.Repo {
	_, public := key("a")
	return newRepo(t, filepath.Join(t.TempDir(), "client"), "[remote \"our\"]\nurl=file:///nowhere\ncollection-id="+us+
		"\ngpg-verify=false\nsign-verify=ed25519\nverification-ed25519-key="+public+"\n")
}

// tip is a commit that a ref of a collection is to lead to.
type tip struct {
	collection, ref string
	time            uint64
	seed            string // of the key that signs it; "" is none
	bound           string // the collection that it is made for; "" is that of the ref
}

// grow adds a commit with an empty tree, and the ref.
func grow(t *testing.T, repo *objstore.Repo, p tip) object.Checksum {
	t.Helper()
	tx, err := transaction.Begin(context.Background(), repo)
	check(t, err)
	defer tx.Close()
	if p.bound == "" {
		p.bound = p.collection
	}
	entry := func(key string, v gvariant.Value) gvariant.Value {
		return gvariant.NewEntry(gvariant.NewString(key), gvariant.NewVariant(v))
	}
	c := object.Commit{Timestamp: p.time, Metadata: gvariant.NewArray("{sv}",
		entry("ostree.ref-binding", gvariant.NewArray("s", gvariant.NewString(p.ref))),
		entry("ostree.collection-binding", gvariant.NewString(p.bound)))}
	c.RootMeta, err = tx.WriteMetadata(object.KindDirMeta, object.DirMeta{Mode: object.ModeDir | 0o755}.Encode())
	check(t, err)
	c.Root, err = tx.WriteMetadata(object.KindDirTree, object.EncodeDirTree(nil, nil))
	check(t, err)
	data := c.Encode()
	sum, err := tx.WriteMetadata(object.KindCommit, data)
	check(t, err)
	if p.seed != "" {
		secret, _ := key(p.seed)
		signer, err := sign.NewSigner("ed25519", secret)
		check(t, err)
		meta, err := sign.Add(context.Background(), gvariant.Value{}, data, signer)
		check(t, err)
		check(t, tx.WriteDetached(sum, meta))
	}
	tx.SetRef(refs.Name{Collection: p.collection, Ref: p.ref}, sum)
	check(t, tx.Commit(context.Background()))
	return sum
}

// stick is a directory that stands for a medium, with repositories by their paths.
func stick(t *testing.T, repos map[string][]tip) (path string) {
	t.Helper()
	path = t.TempDir()
	for at, tips := range repos {
		repo := newRepo(t, filepath.Join(path, at), "")
		for _, p := range tips {
			grow(t, repo, p)
		}
		check(t, summary.Update(context.Background(), repo, nil))
	}
	return path
}

// ours are refs of our collection.
func ours(names ...string) (list []refs.Name) {
	for _, name := range names {
		list = append(list, refs.Name{Collection: us, Ref: name})
	}
	return list
}

// find looks on media, and tells what was ignored, by the ends of paths.
func find(t *testing.T, repo *objstore.Repo, asked []refs.Name, media ...string) (*Found, string) {
	t.Helper()
	var ignored strings.Builder
	found, err := Find(context.Background(), repo, asked, Options{
		Kinds: []Kind{Config, Mount}, Media: media,
		Ignored: func(candidate string, err error) { ignored.WriteString(err.Error() + "\n") },
	})
	check(t, err)
	t.Cleanup(func() { check(t, found.Close()) })
	return found, ignored.String()
}

// shown are the results in short: the repository's path on the medium, and the refs with the times
// of their commits.
func shown(found *Found, media ...string) (list []string) {
	for _, r := range found.Results {
		text := strings.TrimPrefix(r.URL, "file://")
		for _, medium := range media {
			text = strings.TrimPrefix(text, medium+"/")
		}
		for _, ref := range r.Refs {
			if !ref.Commit.IsZero() {
				text += " " + ref.Ref + "@" + string(rune('0'+ref.Timestamp))
			}
		}
		list = append(list, text)
	}
	return list
}
