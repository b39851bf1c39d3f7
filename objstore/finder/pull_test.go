package finder

import (
	"context"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/summary"
)

func update(t *testing.T, repo *objstore.Repo) {
	t.Helper()
	check(t, summary.Update(context.Background(), repo, nil))
}

// TestPull: what is signed and made for its collection comes; what else fails is had from the next.
func TestPull(t *testing.T) {
	good := tip{us, "main", 5, "a", ""}
	for name, c := range map[string]struct {
		media  [][]tip
		mirror bool
		ref    string // that is set
		failed string
	}{
		"good":                  {[][]tip{{good}}, false, "remotes/our/main", ""},
		"a mirror":              {[][]tip{{good}}, true, "mirrors/" + us + "/main", ""},
		"unsigned":              {[][]tip{{{us, "main", 5, "", ""}}}, false, "", "Can't verify commit without detached metadata"},
		"signed by another":     {[][]tip{{{us, "main", 5, "b", ""}}}, false, "", "Can't verify commit"},
		"of another collection": {[][]tip{{{us, "main", 5, "a", "org.example.Them"}}}, false, "", "Commit has collection ID ‘org.example.Them’ in collection binding metadata, while the remote it came from has collection ID ‘" + us + "’"},
		"newer, but not signed": {[][]tip{{good}, {{us, "main", 6, "", ""}}}, false, "remotes/our/main", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var media []string
			for _, tips := range c.media {
				media = append(media, stick(t, map[string][]tip{".ostree/repo": tips}))
			}
			client := newClient(t)
			found, _ := find(t, client, ours("main", "nope"), media...)
			failed := ""
			err := found.Pull(context.Background(), PullOptions{Mirror: c.mirror, Failed: func(_ string, err error) { failed += err.Error() }})
			if !strings.Contains(failed, c.failed) || (err != nil) != (c.failed != "") {
				t.Errorf("failed with %v because of %q, want %q", err, failed, c.failed)
			}
			if err != nil && err.Error() != "Failed to pull some refs from the remotes: ("+us+", main)" {
				t.Error(err)
			}
			if got := setRefs(t, client); got != c.ref {
				t.Errorf("refs %q, want %q", got, c.ref)
			}
		})
	}
}

// TestPullFromNext: what the first has, but broken, the next one may have whole.
func TestPullFromNext(t *testing.T) {
	dir := [2]string{}
	for i := range dir {
		dir[i] = stick(t, map[string][]tip{".ostree/repo": {{us, "main", 5, "a", ""}}})
	}
	client := newClient(t)
	found, _ := find(t, client, ours("main"), dir[0], dir[1])
	if len(found.Results) != 2 {
		t.Fatal(shown(found))
	}
	first := found.Results[0].source.(*carried).repo
	commit, err := first.Commit(found.Results[0].Refs[0].Commit)
	check(t, err)
	check(t, first.RemoveObject(object.Name{Checksum: commit.Root, Kind: object.KindDirTree}))
	failures := 0
	check(t, found.Pull(context.Background(), PullOptions{Failed: func(string, error) { failures++ }}))
	if got := setRefs(t, client); got != "remotes/our/main" || failures != 1 {
		t.Errorf("refs %q after %d failures", got, failures)
	}
}

// TestGPGDemanded: a remote that asks for no signature gets none for what others bring.
func TestGPGDemanded(t *testing.T) {
	at := stick(t, map[string][]tip{".ostree/repo": {{us, "main", 5, "a", ""}}})
	client := newRepo(t, t.TempDir()+"/client", "[remote \"our\"]\nurl=file:///nowhere\ncollection-id="+us+"\ngpg-verify=false\n")
	found, _ := find(t, client, ours("main"), at)
	failed := ""
	err := found.Pull(context.Background(), PullOptions{Failed: func(_ string, err error) { failed = err.Error() }})
	if err == nil || !strings.Contains(failed, "GPG verification enabled, but no signatures found") {
		t.Errorf("%v, %s", err, failed)
	}
}

// setRefs are the paths of all refs that a repository has.
func setRefs(t *testing.T, repo *objstore.Repo) string {
	t.Helper()
	var paths []string
	own, err := repo.Refs()
	check(t, err)
	mirrored, err := repo.MirroredRefs()
	check(t, err)
	for _, ref := range own {
		paths = append(paths, "remotes/"+ref.Remote+"/"+ref.Ref)
	}
	for _, ref := range mirrored {
		paths = append(paths, "mirrors/"+ref.Collection+"/"+ref.Ref)
	}
	return strings.Join(paths, " ")
}
