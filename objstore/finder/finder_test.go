package finder

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

// TestNewestCounts: of all that have a ref, those are told that have its newest commit.
func TestNewestCounts(t *testing.T) {
	main := func(time uint64) tip { return tip{us, "main", time, "a", ""} }
	other := func(time uint64) tip { return tip{us, "other", time, "a", ""} }
	for name, c := range map[string]struct {
		repos []map[string][]tip // of each medium
		want  []string
		lost  string // what is told of one that does not count
	}{
		"one":             {[]map[string][]tip{{".ostree/repo": {main(1)}}}, []string{".ostree/repo main@1"}, ""},
		"nothing":         {[]map[string][]tip{{}}, nil, ""},
		"another ref":     {[]map[string][]tip{{"ostree/repo": {{us, "third", 1, "a", ""}}}}, nil, ""},
		"a stranger's":    {[]map[string][]tip{{"ostree/repo": {{"org.example.Them", "main", 1, "a", ""}}}}, nil, ""},
		"newer":           {[]map[string][]tip{{"ostree/repo": {main(1)}}, {".ostree/repo": {main(2)}}}, []string{".ostree/repo main@2"}, "others have newer commits"},
		"each the newest": {[]map[string][]tip{{"ostree/repo": {main(1), other(2)}}, {".ostree/repo": {main(2), other(1)}}}, []string{"ostree/repo other@2", ".ostree/repo main@2"}, ""},
		// of one medium the first repository that has a ref counts, if it is newer or not
		"in one medium": {[]map[string][]tip{{"var/lib/flatpak/repo": {main(3), other(3)}, "ostree/repo": {main(2)}, ".ostree/repos.d/a": {{us, "third", 1, "a", ""}}}},
			[]string{"ostree/repo main@2", "var/lib/flatpak/repo other@3"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var media []string
			for _, repos := range c.repos {
				media = append(media, stick(t, repos))
			}
			found, ignored := find(t, newClient(t), ours("main", "other"), media...)
			got := shown(found, media...)
			slices.Sort(got) // several have the summaries of one second
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) || !strings.Contains(ignored, c.lost) {
				t.Errorf("found %q, want %q; ignored:\n%s", got, c.want, ignored)
			}
		})
	}
}

// TestSummaryLies: on a medium the commit itself says how old it is, and what it does not list or
// does not have is not there.
func TestSummaryLies(t *testing.T) {
	old := stick(t, map[string][]tip{"ostree/repo": {{us, "main", 1, "a", ""}}})
	now := stick(t, map[string][]tip{"ostree/repo": {{us, "main", 2, "a", ""}}})
	summary := filepath.Join(old, "ostree/repo/summary")
	data, err := os.ReadFile(summary)
	check(t, err)
	at := bytes.Index(data, []byte("ostree.commit.timestamp\x00")) + 24
	if binary.BigEndian.Uint64(data[at:]) != 1 {
		t.Fatalf("no timestamp at %d of %q", at, data)
	}
	lie := bytes.Clone(data)
	lie[at+7] = 9
	check(t, os.WriteFile(summary, lie, 0o644))
	client := newClient(t)
	found, _ := find(t, client, ours("main"), old, now)
	if got := shown(found, old, now); !slices.Equal(got, []string{"ostree/repo main@2"}) {
		t.Errorf("with a lie about the time: %q", got)
	}
	for name, change := range map[string]func(){
		"no summary":         func() { check(t, os.Remove(summary)) },
		"junk":               func() { check(t, os.WriteFile(summary, []byte("junk"), 0o644)) },
		"a summary of links": func() { check(t, os.Remove(summary)); check(t, os.Symlink(now+"/ostree/repo/summary", summary)) },
		"no such commit": func() {
			check(t, os.Remove(summary))
			theirs, err := os.ReadFile(now + "/ostree/repo/summary")
			check(t, err)
			check(t, os.WriteFile(summary, theirs, 0o644))
		},
	} {
		change()
		if found, ignored := find(t, client, ours("main"), old); len(found.Results) > 0 || strings.Count(ignored, "\n") != 2 {
			t.Errorf("%s: %q, ignored %q", name, shown(found, old), ignored)
		}
		os.Remove(summary)
		check(t, os.WriteFile(summary, data, 0o644))
	}
}

// TestWhoseKeys: without a remote for the collection nothing counts; of several it is the first.
func TestWhoseKeys(t *testing.T) {
	at := stick(t, map[string][]tip{"ostree/repo": {{us, "main", 1, "a", ""}}})
	remote := func(name, id string) string {
		return "[remote \"" + name + "\"]\nurl=file:///nowhere\ncollection-id=" + id + "\n"
	}
	for config, want := range map[string]string{
		remote("x", "org.example.Them"):                   "",
		remote("x", "bad"):                                "",
		remote("z", us) + remote("y", us):                 "y",
		remote("b", "org.example.Them") + remote("c", us): "c",
	} {
		client := newRepo(t, filepath.Join(t.TempDir(), "client"), config)
		found, ignored := find(t, client, ours("main"), at)
		got := ""
		for _, r := range found.Results {
			got += r.Remote
		}
		if got != want || want == "" && !strings.Contains(ignored, "No keyring found configured locally for collection ‘"+us+"’") {
			t.Errorf("%q: %q, want %q; ignored %q", config, got, want, ignored)
		}
	}
}

// TestConfigured: a remote has of its collection what its summary lists; also where that does not
// say how old the commits are.
func TestConfigured(t *testing.T) {
	dir := t.TempDir()
	old, now := filepath.Join(dir, "old"), filepath.Join(dir, "now")
	_, public := key("a")
	config := ""
	for i, place := range []string{old, now} {
		repo := newRepo(t, place, "collection-id="+us+"\n")
		grow(t, repo, tip{us, "main", uint64(i + 1), "a", ""})
		grow(t, repo, tip{"org.example.Them", "main", 5, "a", ""})
		config += "[remote \"" + filepath.Base(place) + "\"]\nurl=file://" + place + "\ncollection-id=" + us +
			"\ngpg-verify=false\nsign-verify=ed25519\nverification-ed25519-key=" + public + "\n"
		update(t, repo)
	}
	client := newRepo(t, filepath.Join(dir, "client"), config+"[remote \"away\"]\nurl=file:///nowhere\ncollection-id="+us+"\n")
	asked := append(ours("main", "nope"), refs.Name{Collection: "org.example.Them", Ref: "main"})
	found, ignored := find(t, client, asked)
	if got := shown(found, dir); !slices.Equal(got, []string{"now main@2"}) || len(found.Missing()) != 2 || !strings.Contains(ignored, "others have newer commits") {
		t.Errorf("%q, missing %v, ignored %q", got, found.Missing(), ignored)
	}
	for _, place := range []string{old, now} {
		data, err := os.ReadFile(place + "/summary")
		check(t, err)
		check(t, os.WriteFile(place+"/summary", bytes.ReplaceAll(data, []byte("ostree.commit.timestamp"), []byte("ostree.commit.timesXamp")), 0o644))
	}
	found, _ = find(t, client, ours("main"))
	if got := shown(found, dir); !slices.Equal(got, []string{"now main@2"}) {
		t.Errorf("where summaries have no times: %q", got)
	}
	without := filepath.Join(dir, "client2")
	other := newRepo(t, without, config)
	newest := found.Results[0].Refs[0].Commit.String()
	path := filepath.Join(now, "objects", newest[:2], newest[2:]+".commit")
	check(t, os.Rename(path, path+".away"))
	lacking, ignored := find(t, other, ours("main"))
	if got := shown(lacking, dir); !slices.Equal(got, []string{"old main@1"}) || !strings.Contains(ignored, "Metadata not found for commit ‘"+newest+"’") {
		t.Errorf("where a commit is absent: %q, ignored %q", got, ignored)
	}
	check(t, os.Rename(path+".away", path))
	check(t, found.Pull(context.Background(), PullOptions{}))
	if sum, err := client.Resolve("now:main"); err != nil || sum != found.Results[0].Refs[0].Commit {
		t.Error(sum, err)
	}
}

func TestOrder(t *testing.T) {
	ref := Ref{Commit: object.Checksum{1}}
	in := []Result{
		{Priority: 50, LastModified: 1, name: "old"},
		{Priority: 50, LastModified: 2, name: "new"},
		{Priority: 50, LastModified: 3, Refs: []Ref{ref}, name: "a"},
		{Priority: 50, LastModified: 3, Refs: []Ref{ref}, name: "b"},
		{Priority: 50, LastModified: 3, Refs: []Ref{{}, ref, ref}, name: "much"},
		{Priority: 100, name: "unknown"},
		{Priority: 100, LastModified: 1, Refs: []Ref{ref}, name: "known"},
	}
	for seed := range 20 {
		list := slices.Clone(in)
		for i := range list {
			j := (i*7 + seed*3) % len(list)
			list[i], list[j] = list[j], list[i]
		}
		slices.SortStableFunc(list, order)
		for i := range list {
			if list[i].name != in[i].name {
				t.Fatalf("%d: %s is in the place of %s", seed, list[i].name, in[i].name)
			}
		}
	}
}

func TestUsual(t *testing.T) {
	for config, want := range map[string]string{
		"":                                     "[config mount]",
		"default-repo-finders=mount\n":         "[mount]",
		"default-repo-finders=lan;config;\n":   "[lan config]",
		"default-repo-finders=\n":              "Invalid empty default-repo-finders configuration",
		"default-repo-finders=config;postal\n": "Invalid configured repo-finder 'postal'",
	} {
		kinds, err := Usual(newRepo(t, filepath.Join(t.TempDir(), "repo"), config))
		got := "["
		for _, kind := range kinds {
			got += string(kind) + " "
		}
		got = strings.TrimSuffix(got, " ") + "]"
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", config, got, want)
		}
	}
}
